// MediaPipe's own selfie segmenter in headless Chromium and the same file in `deeplab run`: how far the probabilities are
// apart; see README.md. Checks, and times nothing.
import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {fileIn, serve} from './serve.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const data = process.env.DEEPLAB_TEST_DATA ?? join(here, '../../../shared/data');
const {values: options} = parseArgs({options: {
  program: {type: 'string', default: join(here, '../../build/release/bin/deeplab')},
  chromium: {type: 'string', default: process.env.DEEPLAB_CHROMIUM ?? '/usr/bin/chromium'},
  photos: {type: 'string', default: '20'},
  difference: {type: 'string', default: '0.001'},
}});
const [width, height] = [256, 144];  // The model's: so that neither side resizes anything.

function fail(message) {
  console.error(`mediapipe: ${message}`);
  process.exit(1);
}

const modules = join(here, 'node_modules');
const model = join(modules, '@twilio/video-processors/dist/build/selfie_segmentation_landscape.tflite');
if (!existsSync(model)) fail('run `npm ci --ignore-scripts` in bench/peers first');
const folder = join(data, 'voc2012/JPEGImages');
for (const path of [options.program, options.chromium, folder]) {
  if (!existsSync(path)) fail(`${path} is not there; see README.md`);
}
const list = readFileSync(join(data, 'voc2012/ImageSets/Segmentation/val.txt'), 'utf8').split('\n').filter(Boolean);
const photos = list.slice(0, Number(options.photos)).map((id) => join(folder, `${id}.jpg`));

const server = await serve((path) => {
  if (path === '/') return '<!doctype html><title>check</title>';
  if (path === '/model') return readFileSync(model);
  const photo = /^\/photo\/(\d+)$/.exec(path);
  return photo ? readFileSync(photos[photo[1]]) : fileIn(modules, path);
});

/** In the page: the photo's RGB at the model's size, and MediaPipe's probabilities for it. */
async function segmentAll({count, width, height}) {
  const base = '/@mediapipe/tasks-vision';
  const {FilesetResolver, ImageSegmenter} = await import(`${base}/vision_bundle.mjs`);
  const segmenter = await ImageSegmenter.createFromOptions(await FilesetResolver.forVisionTasks(`${base}/wasm`), {
    baseOptions: {modelAssetBuffer: new Uint8Array(await (await fetch('/model')).arrayBuffer()), delegate: 'CPU'},
    runningMode: 'IMAGE',
    outputConfidenceMasks: true,
  });
  const results = [];
  for (let i = 0; i < count; ++i) {
    const bitmap = await createImageBitmap(await (await fetch(`/photo/${i}`)).blob());
    const context = new OffscreenCanvas(width, height).getContext('2d');
    context.drawImage(bitmap, 0, 0, width, height);
    const image = context.getImageData(0, 0, width, height);
    const found = segmenter.segment(image);
    const mask = found.confidenceMasks.at(-1);
    results.push({
      rgb: Array.from(image.data).filter((_, k) => k % 4 !== 3),
      size: [mask.width, mask.height],
      scores: Array.from(mask.getAsFloat32Array()),
    });
    found.close();
  }
  return results;
}

const {chromium} = (await import('playwright-core')).default;
const browser = await chromium.launch({
  executablePath: options.chromium,
  args: ['--no-sandbox', '--use-gl=swiftshader', '--enable-unsafe-swiftshader'],
});
const page = await browser.newPage();
await page.goto(server.address);
const results = await page.evaluate(segmentAll, {count: photos.length, width, height});
await browser.close();
server.close();

/** The float32 values of the one .npy in a folder. */
function scoresIn(directory) {
  const bytes = readFileSync(join(directory, readdirSync(directory)[0]));
  const start = 10 + bytes.readUInt16LE(8);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
}

const work = mkdtempSync(join(tmpdir(), 'deeplab-mediapipe-'));
let [largest, equal, pixels, people] = [0, 0, 0, 0];
for (const [i, {rgb, size, scores}] of results.entries()) {
  if (size[0] !== width || size[1] !== height) fail(`MediaPipe's mask has ${size.join('x')} pixels`);
  const picture = join(work, `${i}.ppm`);
  const output = join(work, String(i));
  writeFileSync(picture, Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), Buffer.from(rgb)]));
  const run = spawnSync(options.program, ['run', '-m', model, '--fit', 'stretch', '-o', output, picture], {encoding: 'utf8'});
  if (run.status !== 0) fail(run.stderr);
  const ours = scoresIn(output);
  if (ours.length !== scores.length) fail(`scores of ${ours.length} and ${scores.length} pixels`);
  ours.forEach((score, p) => {
    largest = Math.max(largest, Math.abs(score - scores[p]));
    equal += (score > 0.5) === (scores[p] > 0.5);
    people += scores[p] > 0.5;
  });
  pixels += ours.length;
}
rmSync(work, {recursive: true});
console.log(`${results.length} photos of ${width}x${height}, ${(100 * people / pixels).toFixed(1)} % of the pixels a person`);
console.log(`largest difference of a probability: ${largest.toExponential(1)}`);
console.log(`the same class on ${(100 * equal / pixels).toFixed(3)} % of the pixels`);
if (largest > Number(options.difference)) fail(`more than ${options.difference}`);
