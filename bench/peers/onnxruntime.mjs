// One process, one session of ONNX Runtime, one picture:
//   node onnxruntime.mjs MODEL.onnx PICTURE.ppm THREADS RUNS [LABELS]
// Prints {"version", "create_ms", "ms": [...]}; LABELS gets the label map, one byte per pixel. What is timed is
// session.run(): uint8 pixels in, int64 label map out, the last resize and ArgMax being nodes of the graph.
import {writeFileSync} from 'node:fs';
import ort from 'onnxruntime-node';
import {readPpm} from './files.mjs';

const [modelPath, picturePath, threads, runs, labelsPath] = process.argv.slice(2);
const picture = readPpm(picturePath);

let start = performance.now();
const session = await ort.InferenceSession.create(modelPath, {
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
});
const createMs = performance.now() - start;

const {name, type, shape} = session.inputMetadata[0];
const expected = [1, picture.height, picture.width, 3];
if (type !== 'uint8' || JSON.stringify(shape) !== JSON.stringify(expected)) {
  throw new Error(`${modelPath} takes ${type} ${JSON.stringify(shape)}, the picture is uint8 ${JSON.stringify(expected)}`);
}
const {name: output, type: outputType} = session.outputMetadata[0];
if (outputType !== 'int64') throw new Error(`${modelPath} gives ${outputType}, not an int64 label map`);
const feeds = {[name]: new ort.Tensor('uint8', picture.pixels, shape)};

const run = async () => (await session.run(feeds))[output];
const labels = await run();
if (labelsPath) writeFileSync(labelsPath, Uint8Array.from(labels.data, Number));

for (start = performance.now(); performance.now() - start < 300;) await run();  // warm-up
const ms = [];
for (let i = 0; i < Number(runs); ++i) {
  start = performance.now();
  await run();
  ms.push(performance.now() - start);
}
console.log(JSON.stringify({version: ort.env.versions.node, create_ms: createMs, ms}));
await session.release();
