// The same picture and model file through LiteRT and through our WebAssembly package, in one headless Chromium page, in
// alternation; see README.md.
import {existsSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {readPpm, spread, syntheticPicture} from './files.mjs';
import {fileIn, serve} from './serve.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const data = process.env.DEEPLAB_TEST_DATA ?? join(here, '../../../shared/data');
const {values: options} = parseArgs({options: {
  package: {type: 'string', default: join(here, '../../build/release/web')},
  chromium: {type: 'string', default: process.env.DEEPLAB_CHROMIUM ?? '/usr/bin/chromium'},
  model: {type: 'string', multiple: true},
  picture: {type: 'string'},
  threads: {type: 'string', default: '1,2'},
  rounds: {type: 'string', default: '5'},
  runs: {type: 'string', default: '10'},
  loads: {type: 'string', default: '3'},
  agreement: {type: 'string', default: '0.95'},
  json: {type: 'boolean', default: false},
}});
// 8 bits with float32 in and out, the original page's own 8-bit file, float32.
const models = options.model ?? ['deeplabv3_mnv2_dm05_int8_f32io', 'tfhub_deeplabv3_mnv2_dm05_int8', 'deeplabv3_257_mv_gpu']
  .map((name) => join(data, 'models', `${name}.tflite`));

function fail(message) {
  console.error(`web: ${message}`);
  process.exit(1);
}

for (const path of [join(options.package, 'deeplab.wasm'), options.chromium, ...models]) {
  if (!existsSync(path)) fail(`${path} is not there; see README.md`);
}
const peer = join(here, 'node_modules/@litertjs');
if (!existsSync(peer)) fail('run `npm ci --ignore-scripts` in bench/peers first');
const {chromium} = (await import('playwright-core')).default;
const {version} = JSON.parse(readFileSync(join(peer, 'core/package.json'), 'utf8'));

// ---- A server of both packages, the models and the picture --------------------------------------

const page = `<!doctype html><meta charset="utf-8"><title>bench</title>
<script type="importmap">{"imports": {"@litertjs/wasm-utils": "/peer/wasm-utils/dist/index.js"}}</script>
<script type="module" src="/page.mjs"></script>`;
const folders = {'/ours/': options.package, '/peer/': peer};
let picture;

function fileOf(path) {
  if (path === '/') return page;
  if (path === '/page.mjs') return readFileSync(join(here, 'web_page.mjs'));
  if (path === '/picture') return picture.pixels;
  const model = /^\/model\/(\d+)$/.exec(path);
  if (model) return readFileSync(models[model[1]]);
  const folder = Object.keys(folders).find((begin) => path.startsWith(begin));
  return folder ? fileIn(folders[folder], path.slice(folder.length - 1)) : null;
}

const server = await serve(fileOf);
const browser = await chromium.launch({
  executablePath: options.chromium, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});

/** A page of its own, without anything cached. */
async function inPage(use) {
  const context = await browser.newContext();
  const tab = await context.newPage();
  await tab.goto(server.address);
  await tab.waitForFunction(() => globalThis.prepare !== undefined);
  await tab.evaluate((size) => globalThis.prepare(size), {width: picture.width, height: picture.height});
  const result = await use(tab);
  await context.close();
  return result;
}

async function compare(index, threads) {
  const side = picture.width;
  const model = {model: `/model/${index}`, threads};
  // Time to the first result, each time in a page of its own.
  const first = {ours: [], peer: []};
  for (let i = 0; i < Number(options.loads); ++i) {
    for (const name of ['peer', 'ours']) {
      first[name].push(await inPage((tab) => tab.evaluate(([s, m]) => globalThis.first(s, m), [name, model])));
    }
  }
  return inPage(async (tab) => {
    await tab.evaluate((m) => globalThis.openSide('peer', m), model);
    const isa = await tab.evaluate((m) => globalThis.openSide('ours', m), model);
    const agreement = await tab.evaluate(() => globalThis.agreement());
    if (agreement < Number(options.agreement)) {
      throw new Error(`${models[index]}: the label maps agree on ${(100 * agreement).toFixed(2)} % of the pixels only: ` +
        'nothing is timed');
    }
    const rounds = {ours: [], peer: []};
    const run = (name, runs) => tab.evaluate(([s, n]) => globalThis.round(s, n), [name, runs]);
    for (const name of ['peer', 'ours']) await run(name, 3);  // Until the browser has optimized both.
    for (let i = 0; i < Number(options.rounds); ++i) {
      for (const name of ['peer', 'ours']) rounds[name].push(await run(name, Number(options.runs)));
    }
    // Of each side the median over the rounds of a round's median.
    const of = (name, what) => spread(rounds[name].map((round) => spread(round.map((time) => time[what])).median)).median;
    const ms = {};
    for (const name of ['peer', 'ours']) {
      ms[name] = {total: of(name, 'total'), network: of(name, 'network'), first: spread(first[name]).median};
    }
    return {
      model: models[index].replace(/^.*\//, ''), side, threads, isa, agreement, ms,
      ratio: ms.peer.total / ms.ours.total, network_ratio: ms.peer.network / ms.ours.network,
      first_ratio: ms.peer.first / ms.ours.first,
    };
  });
}

try {
  if (!options.json) {
    console.log(`LiteRT ${version} and deeplab in ${browser.version()}; ${options.rounds} rounds of ${options.runs} runs`);
    console.log('| model | threads | agree | LiteRT, ms (network) | deeplab, ms (network) | ratio (network) | first: ms, ms | ratio |');
    console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
  }
  for (const index of models.keys()) {
    for (const threads of options.threads.split(',').map(Number)) {
      // The peer takes pictures of the model's own size alone.
      const side = options.picture ? 0 : /_257_/.test(models[index]) ? 257 : 513;
      if (options.picture) {
        picture = readPpm(options.picture);
      } else {
        picture = {width: side, height: side, pixels: syntheticPicture(side)};
      }
      const row = await compare(index, threads);
      if (options.json) {
        console.log(JSON.stringify({peer: 'litert', version, ...row}));
        continue;
      }
      const {ms} = row;
      const two = (a, b) => `${a.toFixed(1)} (${b.toFixed(1)})`;
      console.log(`| ${row.model} | ${threads} | ${(100 * row.agreement).toFixed(2)} % | ${two(ms.peer.total, ms.peer.network)} | ` +
        `${two(ms.ours.total, ms.ours.network)} | ${row.ratio.toFixed(2)} (${row.network_ratio.toFixed(2)}) | ` +
        `${ms.peer.first.toFixed(0)}, ${ms.ours.first.toFixed(0)} | ${row.first_ratio.toFixed(2)} |`);
    }
  }
} finally {
  await browser.close();
  server.close();
}
