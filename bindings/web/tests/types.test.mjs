// deeplab.d.ts: the compiler takes what README.md shows, and refuses what is wrong.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { inFolder, noTool, packageFolder, requireTool } from './common.mjs';

const good = `import { DeeplabError, Segmenter, type Segmentation, type ErrorCode } from 'deeplab';
export async function run(image: ImageData, bitmap: ImageBitmap): Promise<number> {
  const segmenter: Segmenter = await Segmenter.create({ threads: 2, fit: 'letterbox', size: [513, 257] });
  const result: Segmentation = await segmenter.segment(image);
  await segmenter.segment(bitmap);
  await segmenter.segment({ data: new Uint8Array(12), width: 2, height: 2, channels: 3 });
  const label: string | undefined = segmenter.labels[result.categoryMask[0] ?? 0];
  const pixels = result.overlay({ opacity: 0.5, legend: true });
  result.cutout(['cat', 8]);
  segmenter.close();
  return pixels.data.length + (label ?? '').length + segmenter.canvas[0] + result.timing.total + (result.fractions.cat ?? 0);
}
export const codeOf = (error: unknown): ErrorCode | null => error instanceof DeeplabError ? error.code : null;
`;
// One error each.
const wrong = [
  `new Segmenter();`, `Segmenter.create({ fit: 'crop' });`, `Segmenter.create({ model: 'model.tflite' });`,
  `declare const s: Segmenter; s.threads = 2;`, `declare const s: Segmenter; s.segment({ data: new Float32Array(3), width: 1, height: 1 });`,
  `declare const s: Segmenter; s.segment('photo.jpg');`,
];

test('TypeScript', { skip: noTool('typescript') }, () => inFolder((folder) => {
  const installed = join(folder, 'node_modules/deeplab');
  mkdirSync(installed, { recursive: true });
  for (const name of ['package.json', 'deeplab.d.ts', 'deeplab.mjs']) {
    copyFileSync(join(packageFolder, name), join(installed, name));
  }
  const compiler = join(dirname(requireTool.resolve('typescript/package.json')), 'bin/tsc');
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  writeFileSync(join(folder, 'good.ts'), good);
  wrong.forEach((text, i) => writeFileSync(join(folder, `wrong${i}.ts`), `import { Segmenter } from 'deeplab';\n${text}\n`));
  const compile = (files) => spawnSync(process.execPath, [compiler, '--noEmit', '--strict', '--noUncheckedIndexedAccess',
    '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom', '--types', '', ...files], { cwd: folder, encoding: 'utf8' });
  const first = compile(['good.ts']);
  assert.equal(first.status, 0, first.stdout);
  const second = compile(wrong.map((_, i) => `wrong${i}.ts`));
  const found = wrong.filter((_, i) => new RegExp(`^wrong${i}\\.ts\\(2,\\d+\\): error`, 'm').test(second.stdout));
  assert.deepEqual(found, wrong, second.stdout);
}));
