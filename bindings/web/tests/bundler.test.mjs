// A page that Vite has bundled: deeplab.wasm and the worker are found, and the masks are the same.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Segmenter, inFolder, madePicture, noTool, packageFolder, requireTool } from './common.mjs';
import { noBrowser, withBrowser } from './browser.mjs';

const script = `import { Segmenter } from 'deeplab';
globalThis.segment = async (picture, threads) => {
  const segmenter = await Segmenter.create({ threads });
  const { categoryMask } = await segmenter.segment({ ...picture, data: Uint8Array.from(picture.data) });
  const used = segmenter.threads;
  segmenter.close();
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', categoryMask));
  return { used, hash: [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('') };
};
document.body.append('ready');
`;

test('a page bundled by Vite', { skip: noBrowser || noTool('vite') }, () => inFolder(async (folder) => {
  const installed = join(folder, 'node_modules/deeplab');
  mkdirSync(installed, { recursive: true });
  for (const name of readdirSync(packageFolder).filter((name) => name !== 'demo')) {
    cpSync(join(packageFolder, name), join(installed, name));
  }
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>x</title><body><script type="module" src="/main.js"></script></body>');
  writeFileSync(join(folder, 'main.js'), script);
  writeFileSync(join(folder, 'package.json'), '{"type": "module", "private": true}');
  const vite = join(dirname(requireTool.resolve('vite/package.json')), 'bin/vite.js');
  // "./": the page may be served from any folder.
  const built = spawnSync(process.execPath, [vite, 'build', '--base', './', '--outDir', 'out'], { cwd: folder, encoding: 'utf8' });
  assert.equal(built.status, 0, `${built.stdout}${built.stderr}`);
  const files = {};
  for (const entry of readdirSync(join(folder, 'out'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    files[`/bundle${path.slice(join(folder, 'out').length)}`] = readFileSync(path);
  }
  const picture = madePicture(120, 90, 3);
  const segmenter = await Segmenter.create({ threads: 1 });
  const hash = createHash('sha256').update((await segmenter.segment(picture)).categoryMask).digest('hex');
  segmenter.close();
  await withBrowser(files, async (browser, address) => {
    for (const [begin, threads] of [['', 1], ['/isolated', 2]]) {
      const page = await browser.newPage();
      await page.goto(`${address}${begin}/bundle/index.html`);
      await page.getByText('ready').waitFor();
      const result = await page.evaluate((sent) => globalThis.segment(sent, 2), { ...picture, data: [...picture.data] });
      assert.deepEqual(result, { used: threads, hash });
      await page.close();
    }
  });
}));
