// Memory does not grow from picture to picture, and results stay as they are.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Segmenter, madePicture, segmentManyTimes } from './common.mjs';

test('1,000 segmentations without growth', () => segmentManyTimes({ size: 33 }, (result) => {
  result.overlay({ legend: true });
  result.cutout(['background', 'cat']);
}));

test('200 errors without growth', async () => {
  const segmenter = await Segmenter.create({ size: 33 });
  await segmenter.segment(madePicture(300, 300, 4));
  const before = segmenter.memoryBytes;
  const wrong = { data: new Uint8Array(360000), width: 300, height: 299 };
  for (let i = 0; i < 200; ++i) await assert.rejects(segmenter.segment(wrong), { code: 'INVALID_ARGUMENT' });
  assert.equal(segmenter.memoryBytes, before);
  segmenter.close();
});

test('results own their data', async () => {
  const segmenter = await Segmenter.create({ size: 65 });
  const picture = madePicture(90, 60, 4);
  const first = await segmenter.segment(picture);
  const copy = Buffer.from(first.categoryMask);
  const overlay = first.overlay();
  const drawn = Buffer.from(overlay.data);
  await segmenter.segment(madePicture(400, 400, 4, 7));
  assert.ok(copy.equals(Buffer.from(first.categoryMask)));
  assert.ok(drawn.equals(Buffer.from(overlay.data)));
  const sum = Object.values(first.fractions).reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(sum - 1) < 1e-9, `fractions add up to ${sum}`);
  assert.ok(first.timing.infer > 0 && first.timing.total >= first.timing.infer);
  segmenter.close();
});

test('two segmenters at once', async () => {
  const [a, b] = await Promise.all([Segmenter.create({ size: 65 }), Segmenter.create({ size: 97 })]);
  assert.deepEqual([[...a.canvas], [...b.canvas]], [[65, 65], [97, 97]]);
  const picture = madePicture(80, 80, 3);
  const alone = Buffer.from((await a.segment(picture)).categoryMask);
  await b.segment(madePicture(80, 80, 3, 5));
  assert.ok(alone.equals(Buffer.from((await a.segment(picture)).categoryMask)));
  assert.equal(a.labels[8], 'cat');
  assert.deepEqual([...a.colors[8]], [64, 0, 0]);
  a.close();
  b.close();
});
