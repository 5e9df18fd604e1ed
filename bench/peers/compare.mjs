// The same picture through another engine and through deeplab, in alternation; see README.md.
import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {readNpy, readPpm, spread, syntheticPicture} from './files.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const data = process.env.DEEPLAB_TEST_DATA ?? join(here, '../../../shared/data');
const {values: options} = parseArgs({options: {
  program: {type: 'string', default: join(here, '../../build/release/bin/deeplab')},
  peer: {type: 'string', default: 'onnxruntime'},
  float: {type: 'boolean', default: false},
  model: {type: 'string'},
  onnx: {type: 'string', default: join(data, 'models/deeplabv3_mnv2_dm05_qdq.onnx')},
  picture: {type: 'string'},
  threads: {type: 'string', default: '1,2'},
  rounds: {type: 'string', default: '5'},
  runs: {type: 'string', default: '20'},
  agreement: {type: 'string', default: '0.95'},
  json: {type: 'boolean', default: false},
}});

if (!['onnxruntime', 'tensorflow-lite'].includes(options.peer)) {
  fail(`unknown peer '${options.peer}' (onnxruntime, tensorflow-lite)`);
}
const tensorflowLite = options.peer === 'tensorflow-lite';
if (tensorflowLite && options.float) fail('--float is for onnxruntime: give tensorflow-lite a float --model');
// TensorFlow Lite runs our own file; the first is the one of the page that this project answers.
options.model ??= join(data, 'models', tensorflowLite ? 'tfhub_deeplabv3_mnv2_dm05_int8.tflite'
                                       : options.float ? 'deeplabv3_mnv2_dm05_513_float.tflite'
                                                       : 'deeplabv3_mnv2_dm05_int8_labels.tflite');

const work = mkdtempSync(join(tmpdir(), 'deeplab-peers-'));
process.on('exit', () => rmSync(work, {recursive: true, force: true}));

function fail(message) {
  console.error(`compare: ${message}`);
  process.exit(1);
}

function call(program, args) {
  const result = spawnSync(program, args, {encoding: 'utf8', maxBuffer: 1 << 26});
  if (result.error) fail(`${program}: ${result.error.message}`);
  if (result.status !== 0) fail(`${program} ${args.join(' ')}\n${result.stderr}`);
  return result.stdout;
}

const library = join(here, 'node_modules/tfjs-tflite-node/cc_deps',
                     process.arch === 'arm64' ? 'linux_arm64' : 'linux_amd64', 'libtensorflowlite_c.so');
for (const path of [options.program, options.model, tensorflowLite ? options.model : options.onnx]) {
  if (!existsSync(path)) fail(`${path} is not there; see README.md`);
}
if (!existsSync(tensorflowLite ? library : join(here, 'node_modules/onnxruntime-node'))) {
  fail('run `npm ci --ignore-scripts` in bench/peers first');
}
let picture = options.picture;
if (!picture) {
  picture = join(work, 'picture.ppm');
  const side = JSON.parse(call(options.program, ['inspect', '--json', options.model])).inputs[0].shape[1];
  writeFileSync(picture, Buffer.concat([Buffer.from(`P6\n${side} ${side}\n255\n`), syntheticPicture(side)]));
}
const {width, height} = readPpm(picture);
const threadCounts = options.threads.split(',').map(Number);
const runs = options.runs;

// ---- A measurement is a process of its own ---------------------------------------------------

const peerModel = options.float ? join(work, 'float.onnx') : options.onnx;
if (options.float) call(process.execPath, [join(here, 'float_onnx.mjs'), options.onnx, peerModel]);

function onnxRuntime(threads, count, labels = [], model = peerModel) {
  return JSON.parse(call(process.execPath, [join(here, 'onnxruntime.mjs'), model, picture, String(threads),
                                            String(count), ...labels]));
}

const runner = join(work, 'tensorflow_lite');
if (tensorflowLite) {
  call(process.env.CC ?? 'cc', ['-O3', '-o', runner, join(here, 'tensorflow_lite.c'), '-ldl']);
}

function tensorflowLiteRun(threads, count, labels = []) {
  return JSON.parse(call(runner, [library, options.model, picture, String(threads), String(count), ...labels]));
}
const runPeer = tensorflowLite ? tensorflowLiteRun : onnxRuntime;
const peerName = tensorflowLite ? 'TensorFlow Lite' : 'ONNX Runtime';

function deeplab(threads, count, extra = []) {
  return JSON.parse(call(options.program, ['bench', '-m', options.model, '--photo', picture, '--size',
                                           `${width}x${height}`, '--threads', String(threads), '--runs',
                                           String(count), '--json', ...extra]));
}

// ---- Verified first: bench checks its bytes by itself; here both must say the same ------------

const [peerLabels, ourLabels] = [join(work, 'peer.labels'), join(work, 'ours.npy')];
const first = runPeer(1, 1, [peerLabels]);
deeplab(1, 1, ['--label-map', ourLabels]);
const theirs = readFileSync(peerLabels);

/** The share of pixels on which another label map and the peer's agree, if it is enough. */
function agreementOf(labels, what) {
  if (theirs.length !== labels.length) fail(`label maps of ${theirs.length} and ${labels.length} pixels`);
  const share = labels.reduce((sum, label, i) => sum + (label === theirs[i]), 0) / labels.length;
  if (share >= Number(options.agreement)) return share;
  return fail(`the label maps of ${what} agree on ${(100 * share).toFixed(2)} % of the pixels only: nothing is timed`);
}

const agreement = agreementOf(readNpy(ourLabels).labels, 'the two engines');
let conversion;  // of the peer's float model with the QDQ model that it was made of
if (options.float) {
  onnxRuntime(1, 1, [join(work, 'qdq.labels')], options.onnx);
  conversion = agreementOf(readFileSync(join(work, 'qdq.labels')), 'the QDQ model and its float network');
}

// ---- Rounds in alternation, so that what disturbs one disturbs the other ----------------------

const results = threadCounts.map((threads) => ({threads, peer: [], ours: [], infer: [], first: {}}));
for (let round = 0; round < Number(options.rounds); ++round) {
  for (const result of results) {
    const peer = runPeer(result.threads, runs);
    const own = deeplab(result.threads, runs);
    result.peer.push(spread(peer.ms).median);
    result.ours.push(own);
    result.createMs = peer.create_ms;
  }
}

// Of each side the median over the rounds of a round's median; of ours, that is the sum of the medians of the three
// stages that the peer's graph has, too.
const table = results.map(({threads, peer, ours: rounds, createMs}) => {
  const total = spread(rounds.map((r) => r.input_ms.median + r.infer_ms.median + r.labels_ms.median));
  const infer = spread(rounds.map((r) => r.infer_ms.median));
  const other = spread(peer);
  return {
    threads,
    peer_ms: other,
    peer_create_ms: createMs,
    deeplab_ms: total,
    deeplab_infer_ms: infer,
    deeplab_prepare_ms: rounds.at(-1).prepare_ms,
    isa: rounds[0].isa,
    ratio: other.median / total.median,
  };
});

if (options.json) {
  for (const row of table) console.log(JSON.stringify({agreement, conversion, peer: options.peer, version: first.version, ...row}));
} else {
  const ms = (value) => value.toFixed(2).padStart(8);
  console.log(`${width}x${height} RGB -> label map; ${options.rounds} rounds of ${runs} runs in alternation; ${table[0].isa}`);
  console.log(`label maps agree on ${(100 * agreement).toFixed(2)} % of the pixels`);
  if (options.float) console.log(`float32; the QDQ model and its float network agree on ${(100 * conversion).toFixed(2)} %`);
  console.log();
  console.log('| threads | ' + peerName + ' ' + first.version + ', ms | deeplab, ms | of it infer | ratio |');
  console.log('| --- | --- | --- | --- | --- |');
  for (const row of table) {
    console.log(`| ${row.threads} | ${ms(row.peer_ms.median)} (best round ${ms(row.peer_ms.min).trim()}) | ` +
                `${ms(row.deeplab_ms.median)} (best round ${ms(row.deeplab_ms.min).trim()}) | ` +
                `${ms(row.deeplab_infer_ms.median)} | ${row.ratio.toFixed(2)} |`);
  }
}
