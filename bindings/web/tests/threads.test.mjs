// Threads, in Node: the same bytes for every number of them, no growth, no worker left, and errors as without them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import {
  Segmenter, builtin, damagedModels, data, inFolder, madePicture, packageFolder, segmentManyTimes,
} from './common.mjs';

const cpus = os.availableParallelism?.() ?? os.cpus().length;
const tasks = () => readdirSync('/proc/self/task').length;  // Threads of this process

const pictures = [madePicture(300, 200, 3), madePicture(513, 513, 4, 2), madePicture(1, 90, 1, 3)];

async function masks(options) {
  const segmenter = await Segmenter.create(options);
  const results = [];
  for (const picture of pictures) {
    const result = await segmenter.segment(picture);
    const cutout = result.cutout(segmenter.labels.slice(0, 2));
    results.push(Buffer.from(result.categoryMask), Buffer.from(cutout.data));
  }
  const { threads } = segmenter;
  segmenter.close();
  return { results, threads };
}

test('as many as asked for, or as there are', async () => {
  for (const [asked, found] of [[1, 1], [2, 2], [7, 7], [0, cpus], [undefined, cpus]]) {
    assert.equal((await masks({ threads: asked, size: 65 })).threads, found);
  }
});

test('the same bytes', async () => {
  const models = ['deeplabv3_257_mv_gpu', 'deeplabv3_mnv2_dm05_pascal_quant', 'tfhub_deeplabv3_mnv2_dm05_int8']
    .map((name) => join(data, 'models', `${name}.tflite`)).filter((path) => existsSync(path));
  for (const model of [undefined, ...models.map((path) => readFileSync(path))]) {
    for (const isa of model ? ['simd128'] : ['simd128', 'scalar']) {
      const alone = await masks({ model, isa, threads: 1 });
      for (const threads of [2, 3, 8]) assert.deepEqual(await masks({ model, isa, threads }), { ...alone, threads });
    }
  }
});

test('1,000 segmentations without growth', () => segmentManyTimes({ size: 33, threads: 3 }));

test('no worker is left', async () => {
  await masks({ threads: 4, size: 33 });  // Starts what else the host starts once.
  await sleep(500);
  const before = tasks();
  const segmenter = await Segmenter.create({ threads: 6, size: 33 });
  assert.ok(tasks() >= before + 5);
  segmenter.close();
  await assert.rejects(Segmenter.create({ model: builtin.subarray(0, 50000), threads: 6 }), { code: 'INVALID_MODEL' });
  for (let i = 0; i < 200 && tasks() > before; ++i) await sleep(50);
  assert.ok(tasks() <= before, `${tasks()} threads, ${before} before`);
});

test('two segmenters with threads at once', async () => {
  const [a, b] = await Promise.all([Segmenter.create({ size: 65, threads: 3 }), Segmenter.create({ size: 97, threads: 2 })]);
  const alone = Buffer.from((await a.segment(pictures[0])).categoryMask);
  await Promise.all([b.segment(pictures[1]), a.segment(pictures[0])]);
  b.close();
  assert.ok(alone.equals(Buffer.from((await a.segment(pictures[0])).categoryMask)));
  a.close();
});

test('damaged models', async () => {
  const refused = await damagedModels(40, 54321, { size: 33, threads: 3 });
  assert.ok(refused > 5, `only ${refused} of 40 were refused`);
});

// In a program of its own, with files that are changed.
function program(folder, body) {
  const code = `import { Segmenter } from ${JSON.stringify(pathToFileURL(join(folder, 'deeplab.mjs')).href)};
    const picture = { data: new Uint8Array(30000), width: 100, height: 100, channels: 3 };
    ${body}`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8', timeout: 60000 });
}

test('a program ends while a segmenter with threads is open', () => {
  assert.equal(program(packageFolder, `const segmenter = await Segmenter.create({ threads: 3, size: 65 });
    console.log(segmenter.threads, (await segmenter.segment(picture)).width);`), '3 100\n');
});

test('a worker that does not start, or that fails', () => inFolder((folder) => {
  for (const name of ['deeplab.mjs', 'deeplab.wasm', 'deeplab-worker.mjs']) {
    copyFileSync(join(packageFolder, name), join(folder, name));
  }
  const worker = join(folder, 'deeplab-worker.mjs');
  const text = readFileSync(worker, 'utf8');
  // Without memory for its stack, the first task traps.
  writeFileSync(worker, text.replace('stackRestore(end)', 'stackRestore(16)'));
  assert.equal(program(folder, `const segmenter = await Segmenter.create({ threads: 2 });
    const run = async () => { for (let i = 0; i < 50; ++i) await segmenter.segment(picture); };
    await run().catch(({ code }) => console.log(code));
    await segmenter.segment(picture).catch(({ code }) => console.log(code));`), 'INTERNAL\nINVALID_STATE\n');
  rmSync(worker);
  const report = `.then(({ threads }) => console.log(threads), ({ code, message }) => console.log(code, message));`;
  assert.match(program(folder, `await Segmenter.create({ threads: 2 })${report}`), /^IO_ERROR deeplab-worker\.mjs: the worker did not start/);
  assert.equal(program(folder, `await Segmenter.create()${report}`), '1\n');
}));
