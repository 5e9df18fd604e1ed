// A headless Chromium and a server of the package for it, on 127.0.0.1.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { noTool, packageFolder, requireTool } from './common.mjs';

const executable = [process.env.DEEPLAB_CHROMIUM, '/usr/bin/chromium'].find((path) => path && existsSync(path));

/** The reason to skip what needs a browser; false if there is one. */
export const noBrowser = executable ? noTool('playwright-core')
  : 'skipped: no /usr/bin/chromium (package chromium); DEEPLAB_CHROMIUM names another';

const types = { '.html': 'text/html', '.mjs': 'text/javascript', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm' };

/**
 * Calls use(browser, address, requests). `extra` are files by path, beside those of the package. What lies below
 * /isolated/ gets the headers of cross-origin isolation.
 */
export async function withBrowser(extra, use, args = []) {
  const requests = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://127.0.0.1');
    requests.push(pathname);
    const isolated = pathname.startsWith('/isolated/');
    const path = isolated ? pathname.slice('/isolated'.length) : pathname;
    const file = join(packageFolder, normalize(path.endsWith('/') ? `${path}index.html` : path));
    const body = extra[path] ?? (existsSync(file) ? readFileSync(file) : null);
    response.writeHead(body === null ? 404 : 200, {
      'Content-Type': types[extname(file)] ?? 'application/octet-stream',
      ...(isolated && {
        'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp',
      }),
    });
    response.end(body ?? 'not found');
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const browser = await requireTool('playwright-core').chromium.launch({
    executablePath: executable, args: process.getuid?.() === 0 ? ['--no-sandbox', ...args] : args,
  });
  try {
    return await use(browser, `http://127.0.0.1:${server.address().port}`, requests);
  } finally {
    await browser.close();
    server.close();
  }
}
