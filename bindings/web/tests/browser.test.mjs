// In headless Chromium: the bytes of the native scalar kernels, on the main thread and in a module worker, with
// cross-origin isolation, and so with threads, and without.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import {
  Segmenter, data, decodePhotos, madePicture, nativeMasks, noCommand, noData, photoPaths, withDeflatedLabels,
} from './common.mjs';
import { noBrowser, withBrowser } from './browser.mjs';

const script = `import { Segmenter } from './deeplab.mjs';
const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
export async function hashes({ pictures, threads, model }) {
  const file = model && await (await fetch(model)).arrayBuffer();
  const segmenter = await Segmenter.create({ threads, model: file });
  const masks = [];
  for (const { name, width, height, channels } of pictures) {
    const data = new Uint8Array(await (await fetch(name)).arrayBuffer());
    const { categoryMask } = await segmenter.segment({ data, width, height, channels });
    masks.push(hex(await crypto.subtle.digest('SHA-256', categoryMask)));
  }
  const { threads: used, isa } = segmenter;
  segmenter.close();
  return { masks, isa, threads: used, cpus: navigator.hardwareConcurrency, isolated: globalThis.crossOriginIsolated };
}
export async function others() {
  const segmenter = await Segmenter.create({ size: 65 });
  const image = new ImageData(50, 40);
  image.data.fill(120);
  const first = await segmenter.segment(image);
  const bitmap = await segmenter.segment(await createImageBitmap(image));
  const code = await Segmenter.create({ model: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9]) }).catch((error) => error.code);
  const fetched = async (name) => (await fetch(name)).arrayBuffer();
  const { labels } = await Segmenter.create({ size: 65, model: await fetched('deflated.raw') });
  const cut = await Segmenter.create({ size: 65, model: await fetched('cut.raw') }).catch((error) => error.message);
  return { labels: labels.join(), cut, width: bitmap.width,
    same: first.categoryMask.every((id, i) => id === bitmap.categoryMask[i]),
    overlay: first.overlay() instanceof ImageData, cutout: first.width, code };
}`;
const workerScript = `import { hashes, others } from './script.mjs';
onmessage = async ({ data }) => postMessage(data === null ? await others() : await hashes(data));`;
const html = '<!doctype html><meta charset="utf-8"><title>test</title>';

/** `model`: a file of the test data, or the built-in one. */
async function run(pictures, { model, threadCounts = [undefined, 1, 2, 5] } = {}) {
  const masks = await nativeMasks(pictures, model ? ['-m', model] : []);
  const expected = masks.map((mask) => createHash('sha256').update(mask).digest('hex'));
  const extra = { '/test.html': html, '/script.mjs': script, '/worker.mjs': workerScript };
  pictures.forEach(({ data }, i) => {
    extra[`/${i}.raw`] = Buffer.from(data);
  });
  extra['/deflated.raw'] = withDeflatedLabels(deflateRawSync);
  extra['/cut.raw'] = withDeflatedLabels((text) => deflateRawSync(text).subarray(0, -9));
  const segmenter = await Segmenter.create({ size: 65 });
  const labels = segmenter.labels.join();
  segmenter.close();
  if (model) extra['/model.raw'] = readFileSync(model);
  const list = pictures.map(({ width, height, channels }, i) => ({ name: `${i}.raw`, width, height, channels }));
  await withBrowser(extra, async (browser, address, requests) => {
    for (const folder of ['/', '/isolated/']) {
      const page = await browser.newPage();
      await page.goto(`${address}${folder}test.html`);
      const onMain = (message) => page.evaluate(async (sent) => (await import('./script.mjs')).hashes(sent), message);
      const inWorker = (message) => page.evaluate((sent) => new Promise((resolve, reject) => {
        const worker = new Worker('worker.mjs', { type: 'module' });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage(sent);
      }), message);
      // Threads where memory can be shared, as many as asked for, or as there are.
      for (const threads of threadCounts) {
        for (const run of [onMain, inWorker]) {
          const result = await run({ pictures: list, threads, model: model && 'model.raw' });
          const isolated = folder === '/isolated/';
          assert.equal(result.isolated, isolated);
          assert.equal(result.threads, isolated ? threads ?? result.cpus : 1);
          if (model) assert.equal(result.isa, 'relaxedsimd', 'expected a CPU with fused multiply-add');
          assert.deepEqual(result.masks, expected);
        }
      }
      const cut = 'the ZIP archive after the model is damaged: an entry does not inflate';
      const others = { labels, cut, same: true, width: 50, overlay: true, cutout: 50, code: 'INVALID_MODEL' };
      assert.deepEqual(await page.evaluate(async () => (await import('./script.mjs')).others()), others);
      assert.deepEqual(await inWorker(null), others);
      await page.close();
    }
    const own = requests.filter((path) => !/\.raw$|test\.html$|script\.mjs$|\/worker\.mjs$|favicon/.test(path));
    assert.deepEqual([...new Set(own)].sort(),
      ['/deeplab.mjs', '/deeplab.wasm', '/isolated/deeplab-worker.mjs', '/isolated/deeplab.mjs', '/isolated/deeplab.wasm']);
  });
}

test('made pictures in Chromium', { skip: noBrowser || noCommand }, () =>
  run([madePicture(300, 200, 3), madePicture(513, 513, 4, 2), madePicture(64, 700, 1, 3)]));

test('20 photos in Chromium', { skip: noBrowser || noCommand || noData }, async () => {
  const segmenter = await Segmenter.create();
  const pictures = await decodePhotos(photoPaths(20), segmenter.labels);
  segmenter.close();
  await run(pictures);
  // Float, by fused multiply-adds.
  await run(pictures, { model: join(data, 'models/deeplabv3_257_mv_gpu.tflite'), threadCounts: [1, 2] });
});
