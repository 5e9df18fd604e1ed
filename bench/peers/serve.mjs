// The server of the comparisons that run in a browser.
import {existsSync, readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {extname, join, normalize} from 'node:path';

const types = {'.html': 'text/html', '.mjs': 'text/javascript', '.js': 'text/javascript', '.wasm': 'application/wasm'};

/** What lies at `path` below `folder`, or null. */
export function fileIn(folder, path) {
  const file = join(folder, normalize(path));
  return existsSync(file) ? readFileSync(file) : null;
}

/**
 * Serves on 127.0.0.1 what `bodyOf` gives for a path: a string or bytes, null for 404. `/` is HTML. The pages are
 * isolated from other origins, which threads need. Resolves to {address, close}.
 */
export async function serve(bodyOf) {
  const server = createServer((request, response) => {
    const {pathname} = new URL(request.url, 'http://127.0.0.1');
    const body = bodyOf(pathname);
    response.writeHead(body === null ? 404 : 200, {
      'Content-Type': types[pathname === '/' ? '.html' : extname(pathname)] ?? 'application/octet-stream',
      'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp',
      'Cache-Control': 'no-store',
    });
    response.end(body ?? 'not found');
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return {address: `http://127.0.0.1:${server.address().port}/`, close: () => server.close()};
}
