// The masks are those of the native scalar kernels, byte for byte.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  Segmenter, data, decodePhotos, madePicture, nativeMasks, noCommand, noData, noRelaxedSimd, photoPaths,
} from './common.mjs';

async function compare(pictures, options, nativeOptions) {
  const expected = await nativeMasks(pictures, nativeOptions);
  const segmenter = await Segmenter.create(options);
  try {
    for (const [i, picture] of pictures.entries()) {
      const result = await segmenter.segment(picture);
      assert.deepEqual([result.width, result.height], [picture.width, picture.height]);
      assert.ok(Buffer.from(result.categoryMask).equals(Buffer.from(expected[i])), `picture ${i}: another mask`);
    }
  } finally {
    segmenter.close();
  }
}

const made = [
  madePicture(1, 1, 3), madePicture(7, 300, 3, 2), madePicture(640, 480, 3, 3), madePicture(513, 513, 4, 4),
  madePicture(900, 257, 1, 5),
];

test('made pictures, each channel count', { skip: noCommand }, () => compare(made, {}, []));
test('letterbox and stretch', { skip: noCommand }, async () => {
  await compare(made.slice(0, 3), { fit: 'letterbox', size: 257 }, ['--fit', 'letterbox', '--size', '257']);
  await compare(made.slice(0, 3), { fit: 'stretch', size: [320, 200] }, ['--fit', 'stretch', '--size', '320x200']);
});
test('both kernel families', { skip: noCommand }, async () => {
  for (const isa of ['scalar', 'simd128']) await compare(made.slice(1, 3), { isa, size: 129 }, ['--size', '129']);
});

test('20 photos', { skip: noCommand || noData }, async () => {
  const segmenter = await Segmenter.create();
  const pictures = await decodePhotos(photoPaths(20), segmenter.labels);
  segmenter.close();
  assert.equal(pictures.length, 20);
  await compare(pictures, {}, []);
});

const modelPath = (name) => join(data, 'models', `${name}.tflite`);
const noModel = (name) => existsSync(modelPath(name)) ? false : `skipped: no test data at ${modelPath(name)}`;

// 8-bit weights per tensor and per channel, uint8 files, arg-max in the file.
for (const name of ['deeplabv3_mnv2_dm05_pascal_quant', 'deeplabv3_mnv2_dm05_int8_labels',
  'deeplabv3_mnv2_dm05_int8_f32io']) {
  const path = modelPath(name);
  test(`model ${name}`, { skip: noCommand || noModel(name) }, async () => {
    await compare(made.slice(2, 4), { model: readFileSync(path), size: 129 }, ['-m', path, '--size', '129']);
    await compare(made.slice(1, 4), { model: readFileSync(path) }, ['-m', path]);
  });
}

// Relaxed SIMD has the fused multiply-add that defines float sums; plain SIMD rounds product and sum, so that single
// pixels differ (docs/numerics.md, rule 4). The scalar kernels are exact, and slow.
const float = 'deeplabv3_257_mv_gpu';
const noFloat = noCommand || noData || noModel(float);
const floatFile = () => readFileSync(modelPath(float));
const floatPhotos = (count) => decodePhotos(photoPaths(count), ['background', 'person', 'cat', 'dog']);

test(`float model ${float}, relaxed SIMD: 20 photos`, { skip: noFloat || noRelaxedSimd }, async () => {
  const segmenter = await Segmenter.create({ model: floatFile() });
  assert.equal(segmenter.isa, 'relaxedsimd');
  segmenter.close();
  await compare([...await floatPhotos(20), ...made], { model: floatFile() }, ['-m', modelPath(float)]);
  const odd = ['--size', '129x66'];
  await compare(made, { model: floatFile(), threads: 3, size: [129, 66] }, ['-m', modelPath(float), ...odd]);
});

test(`float model ${float}, scalar kernels`, { skip: noFloat }, () => compare(made.slice(2, 3),
  { model: floatFile(), isa: 'scalar', size: 65 }, ['-m', modelPath(float), '--size', '65']));

test(`float model ${float}, plain SIMD`, { skip: noFloat }, async () => {
  const pictures = [...await floatPhotos(3), ...made.slice(2, 4)];
  const expected = await nativeMasks(pictures, ['-m', modelPath(float)]);
  const segmenter = await Segmenter.create({ model: floatFile(), isa: 'simd128' });
  for (const [i, picture] of pictures.entries()) {
    const { categoryMask } = await segmenter.segment(picture);
    const differ = categoryMask.reduce((sum, id, at) => sum + (id !== expected[i][at]), 0);
    assert.ok(differ <= 0.0005 * categoryMask.length, `picture ${i}: ${differ} of ${categoryMask.length} pixels differ`);
    if (process.env.VERBOSE) console.log(`${differ} of ${categoryMask.length}`);
  }
  segmenter.close();
});
