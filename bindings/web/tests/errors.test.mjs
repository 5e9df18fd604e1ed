// Each wrong input has its error; none ends the program or spoils what comes after it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import {
  DeeplabError, Segmenter, builtin, damagedModels, inFolder, madePicture, packageFolder, withDeflatedLabels,
} from './common.mjs';

function fails(promise, code, words) {
  return assert.rejects(promise, (error) => {
    assert.ok(error instanceof DeeplabError && error instanceof Error, String(error.stack));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    return true;
  });
}

test('models', async () => {
  await fails(Segmenter.create({ model: new TextEncoder().encode('this is text, not a model') }), 'INVALID_MODEL', /model/);
  await fails(Segmenter.create({ model: new Uint8Array(0) }), 'INVALID_MODEL', /empty/);
  await fails(Segmenter.create({ model: builtin.subarray(0, 50000) }), 'INVALID_MODEL', /./);
  await fails(Segmenter.create({ model: 'model.tflite' }), 'INVALID_ARGUMENT', /bytes of a .tflite/);
});

test('deflated labels', async () => {
  const stored = await Segmenter.create({ size: 33, threads: 1 });
  const deflated = await Segmenter.create({ model: withDeflatedLabels((text) => deflateRawSync(text)), size: 33, threads: 1 });
  assert.deepEqual(deflated.labels, stored.labels);
  assert.equal(deflated.labels[8], 'cat');
  deflated.close();
  stored.close();
  const broken = (deflate, change, code, words) =>
    fails(Segmenter.create({ model: withDeflatedLabels(deflate, change), size: 33, threads: 1 }), code, words);
  const cut = (text) => deflateRawSync(text).subarray(0, -4);
  await broken(cut, undefined, 'INVALID_MODEL', /does not inflate/);
  await broken((text) => text, undefined, 'INVALID_MODEL', /does not inflate/);
  await broken((text) => deflateRawSync(Buffer.concat([text, text])), undefined, 'INVALID_MODEL', /does not inflate/);
  await broken(deflateRawSync, (entry) => entry.writeUInt32LE(1, 16), 'INVALID_MODEL', /checksum/);
  await broken(deflateRawSync, (entry) => entry.writeUInt32LE(entry.readUInt32LE(24) + 1, 24), 'INVALID_MODEL', /does not inflate/);
  await broken(deflateRawSync, (entry) => entry.writeUInt16LE(1, 8), 'UNSUPPORTED', /encrypted/);
  await broken(deflateRawSync, (entry) => entry.writeUInt32LE(0xFFFFFFF0, 24), 'RESOURCE_EXHAUSTED', /4294967280 bytes/);
});

test('options', async () => {
  await fails(Segmenter.create({ fit: 'crop' }), 'INVALID_ARGUMENT', /pad, letterbox, stretch/);
  await fails(Segmenter.create({ size: 0 }), 'INVALID_ARGUMENT', /size/);
  await fails(Segmenter.create({ size: [513, 1.5] }), 'INVALID_ARGUMENT', /size/);
  await fails(Segmenter.create({ size: 60000 }), 'INVALID_ARGUMENT', /limit/);
  await fails(Segmenter.create({ size: 20000 }), 'RESOURCE_EXHAUSTED', /./);
  await fails(Segmenter.create({ threads: -1 }), 'INVALID_ARGUMENT', /threads/);
  await fails(Segmenter.create({ isa: 'avx2' }), 'UNSUPPORTED', /simd128/);
});

test('pictures', async () => {
  const segmenter = await Segmenter.create({ size: 65 });
  const bytes = (length) => new Uint8Array(length);
  const cases = [
    [null, /ImageData/], ['photo.jpg', /ImageData/],
    [{ data: new Float32Array(12), width: 2, height: 2, channels: 3 }, /Float32Array/],
    [{ data: bytes(0), width: 0, height: 0 }, /0/],
    [{ data: bytes(280000), width: 70000, height: 1 }, /70000/],
    [{ data: bytes(12), width: 2, height: -2, channels: 3 }, /-2/],
    [{ data: bytes(12), width: 2.5, height: 2, channels: 3 }, /2\.5/],
    [{ data: bytes(12), width: 2, height: 2, channels: 2 }, /channels/],
    [{ data: bytes(11), width: 2, height: 2, channels: 3 }, /12 bytes, found 11/],
    [{ data: bytes(4), width: 60000, height: 60000, channels: 4 }, /./],
  ];
  for (const [image, words] of cases) await fails(segmenter.segment(image), 'INVALID_ARGUMENT', words);
  const result = await segmenter.segment(madePicture(20, 10, 3));
  assert.equal(result.categoryMask.length, 200);
  assert.throws(() => result.overlay({ opacity: 2 }), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => result.cutout('unicorn'), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => result.cutout([]), { code: 'INVALID_ARGUMENT' });
  segmenter.close();
});

test('after close, and after the next picture', async () => {
  const segmenter = await Segmenter.create({ size: 65, threads: 1 });
  const first = await segmenter.segment(madePicture(20, 10, 4));
  const mask = Buffer.from(first.categoryMask);
  await segmenter.segment(madePicture(30, 30, 4, 9));
  assert.throws(() => first.cutout('cat'), { code: 'INVALID_STATE' });
  assert.equal(first.overlay().data.length, 20 * 10 * 4);
  segmenter.close();
  segmenter.close();
  await fails(segmenter.segment(madePicture(20, 10, 4)), 'INVALID_STATE', /closed/);
  assert.throws(() => first.overlay(), { code: 'INVALID_STATE' });
  assert.ok(mask.equals(Buffer.from(first.categoryMask)));
  assert.equal(segmenter.threads, 1);
});

test('damaged models', async () => {
  const refused = await damagedModels(60, 12345, { size: 33 });
  assert.ok(refused > 10, `only ${refused} of 60 were refused`);
});

// A package whose deeplab.wasm is missing or not one.
test('its own file', () => inFolder((folder) => {
  copyFileSync(join(packageFolder, 'deeplab.mjs'), join(folder, 'deeplab.mjs'));
  const program = `import { Segmenter } from ${JSON.stringify(pathToFileURL(join(folder, 'deeplab.mjs')).href)};
    await Segmenter.create().catch((error) => console.log(error.code, error.message));`;
  const run = () => execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  assert.match(run(), /^IO_ERROR deeplab.wasm: .*no such file/);
  writeFileSync(join(folder, 'deeplab.wasm'), 'text');
  assert.match(run(), /^IO_ERROR deeplab.wasm: /);
}));
