// What the tests share: the package, the native command beside it, pictures and PNG files.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { inflateSync } from 'node:zlib';

export const packageFolder = process.env.DEEPLAB_WEB_PACKAGE ?? '';
export const command = process.env.DEEPLAB_COMMAND ?? '';
export const data = process.env.DEEPLAB_TEST_DATA ?? '';

if (!existsSync(join(packageFolder, 'deeplab.mjs'))) {
  throw new Error('DEEPLAB_WEB_PACKAGE: expected the folder that build.sh made');
}

// One function that calls f32x4.relaxed_madd. Node 20 needs a flag for it.
const hasRelaxedSimd = () => WebAssembly.validate(Buffer.from(
  '0061736d0100000001080160037b7b7b017b030201000a0d010b00200020012002fd85020b', 'hex'));
if (!hasRelaxedSimd()) setFlagsFromString('--experimental-wasm-relaxed-simd');

/** The reason to skip what needs relaxed SIMD; false if Node has it. */
export const noRelaxedSimd = hasRelaxedSimd() ? false : `skipped: no relaxed SIMD in Node ${process.version}`;

export const { Segmenter, DeeplabError } = await import(pathToFileURL(join(packageFolder, 'deeplab.mjs')));

/** The reason to skip what needs the native command or test data; false if it is there. */
export const noCommand = existsSync(command) ? false : 'skipped: no native command; DEEPLAB_COMMAND names it';
export const noData = existsSync(data) ? false : `skipped: no test data at ${data}`;

/** A package of npm: from a node_modules folder here, which `npm ci` makes, or from NODE_PATH. */
export const requireTool = createRequire(import.meta.url);

/** The reason to skip what needs such a package; false if it is there. */
export function noTool(name) {
  try {
    requireTool.resolve(`${name}/package.json`);
    return false;
  } catch {
    return `skipped: no ${name}: run npm ci --ignore-scripts in bindings/web/tests, or NODE_PATH names the folder that has it`;
  }
}

/** A folder that is removed after `use`. */
export async function inFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), 'deeplab-web-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Pixels that are the same in every run: smooth shapes and some noise. */
export function madePicture(width, height, channels, seed = 1) {
  const pixels = new Uint8Array(width * height * channels);
  let state = seed >>> 0;
  for (let y = 0; y < height; ++y) {
    for (let x = 0; x < width; ++x) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      for (let c = 0; c < channels; ++c) {
        const inside = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (Math.min(width, height) / 3) ** 2;
        pixels[(y * width + x) * channels + c] = ((inside ? 60 * (c + 1) + x : 200 - 30 * c + y) + (state >>> 28)) & 255;
      }
    }
  }
  return { data: pixels, width, height, channels };
}

/** PGM or PPM: what both sides read without a codec. */
export function pnm({ data: pixels, width, height, channels }) {
  let raster = pixels;
  if (channels === 4) raster = pixels.filter((_, i) => i % 4 !== 3);
  return Buffer.concat([Buffer.from(`P${channels === 1 ? 5 : 6}\n${width} ${height}\n255\n`), raster]);
}

/** The pixels of a PNG of 8 bits per sample: {data, width, height, channels}. */
export function decodePng(file) {
  const width = file.readUInt32BE(16);
  const height = file.readUInt32BE(20);
  const bits = file[24];
  const channels = { 0: 1, 2: 3, 3: 1, 6: 4 }[file[25]];
  if (bits !== 8 || channels === undefined || file[28] !== 0) throw new Error(`PNG: ${bits} bits, kind ${file[25]}`);
  const parts = [];
  for (let at = 8; at < file.length;) {
    const length = file.readUInt32BE(at);
    if (file.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(file.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const packed = inflateSync(Buffer.concat(parts));
  const stride = width * channels;
  const pixels = new Uint8Array(stride * height);
  for (let y = 0; y < height; ++y) {
    const filter = packed[y * (stride + 1)];
    for (let i = 0; i < stride; ++i) {
      const left = i >= channels ? pixels[y * stride + i - channels] : 0;
      const up = y > 0 ? pixels[(y - 1) * stride + i] : 0;
      const corner = y > 0 && i >= channels ? pixels[(y - 1) * stride + i - channels] : 0;
      const guess = left + up - corner;
      const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
      const paeth = a <= b && a <= c ? left : b <= c ? up : corner;
      const add = [0, left, up, (left + up) >> 1, paeth][filter];
      pixels[y * stride + i] = packed[y * (stride + 1) + 1 + i] + add;
    }
  }
  return { data: pixels, width, height, channels };
}

function native(args) {
  execFileSync(command, args, { env: { ...process.env, DEEPLAB_ISA: 'scalar' }, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The masks that the native scalar kernels make of the pictures. */
export function nativeMasks(pictures, options = []) {
  return inFolder((folder) => {
    mkdirSync(join(folder, 'in'));
    const stem = (i) => `p${String(i).padStart(3, '0')}`;
    pictures.forEach((picture, i) => writeFileSync(join(folder, 'in', `${stem(i)}.ppm`), pnm(picture)));
    native(['segment', join(folder, 'in'), '-o', join(folder, 'out'), '--write', 'mask', '--threads', '1', '--quiet',
      ...options]);
    return pictures.map((_, i) => decodePng(readFileSync(join(folder, 'out', `${stem(i)}.mask.png`))).data);
  });
}

/** The pixels of photos as the native command decodes them: cut-outs of all classes at once lose none. */
export function decodePhotos(paths, labels) {
  return inFolder((folder) => {
    native(['segment', ...paths, '-o', folder, '--write', 'cutout', '--class', labels.join(','), '--threads', '1',
      '--quiet']);
    return readdirSync(folder).sort().map((name) => decodePng(readFileSync(join(folder, name))));
  });
}

/** Up to `count` photos of the test data. */
export function photoPaths(count) {
  const folder = join(data, 'coco_voc21');
  return readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.jpg')).sort().slice(0, count)
    .map((name) => join(folder, name));
}

/** The bytes of the built-in model. */
export const builtin = readFileSync(new URL('../../../models/deeplab.tflite', import.meta.url));

/**
 * The built-in model, whose archive has one stored label file, with that file deflated. `change` gets the directory's
 * entry and the end of the archive.
 */
export function withDeflatedLabels(deflated, change = () => {}) {
  const entry = builtin.lastIndexOf(Buffer.from([0x50, 0x4b, 1, 2]));
  const header = builtin.lastIndexOf(Buffer.from([0x50, 0x4b, 3, 4]));
  const data = header + 30 + builtin.readUInt16LE(header + 26);
  assert.ok(header > 0 && entry > data && data + builtin.readUInt32LE(entry + 20) === entry);
  const packed = deflated(builtin.subarray(data, entry));
  const directory = Buffer.from(builtin.subarray(entry));
  directory.writeUInt16LE(8, 10);
  directory.writeUInt32LE(packed.length, 20);
  directory.writeUInt32LE(directory.readUInt32LE(directory.length - 6) + packed.length - (entry - data), directory.length - 6);
  change(directory);
  return Buffer.concat([builtin.subarray(0, data), packed, directory]);
}

/** Bytes of the model changed at random: each time an error or a model, and the page lives. How many were refused. */
export async function damagedModels(rounds, seed, options) {
  let state = seed;
  const random = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
  let refused = 0;
  for (let round = 0; round < rounds; ++round) {
    const model = Buffer.from(builtin);
    // The tables are at both ends of the file; in between lie weights, which may be anything.
    for (let i = 0; i < 8; ++i) model[round % 2 === 0 ? random(4000) : model.length - 1 - random(60000)] = random(256);
    try {
      const segmenter = await Segmenter.create({ ...options, model });
      await segmenter.segment(madePicture(16, 16, 3));
      segmenter.close();
    } catch (error) {
      assert.ok(error instanceof DeeplabError, String(error.stack));
      assert.notEqual(error.code, 'INTERNAL', error.message);
      ++refused;
    }
  }
  return refused;
}

/** 1,000 pictures of three kinds: the same masks as at first, in as much memory. `use` gets each result. */
export async function segmentManyTimes(options, use = () => {}) {
  const segmenter = await Segmenter.create(options);
  const pictures = [madePicture(40, 30, 3), madePicture(31, 50, 4, 2), madePicture(64, 64, 1, 3)];
  const run = async (picture) => {
    const result = await segmenter.segment(picture);
    use(result);
    return Buffer.from(result.categoryMask);
  };
  const expected = [];
  for (const picture of pictures) expected.push(await run(picture));
  const before = segmenter.memoryBytes;
  for (let i = 0; i < 1000; ++i) assert.ok((await run(pictures[i % 3])).equals(expected[i % 3]), `picture ${i}`);
  assert.equal(segmenter.memoryBytes, before);
  segmenter.close();
}
