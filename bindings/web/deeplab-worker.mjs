// A thread of a segmenter: an instance of the module with the segmenter's memory. It gets one message, answers it, and
// from then on waits for work inside the module, until it is ended.
async function start({ module, relaxed, memory, begin, end }) {
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    imports[from][name] = kind === 'memory' ? memory : () => {
      throw new Error(`a worker called ${name}()`);
    };
  }
  const relaxedSimd = relaxed && (await WebAssembly.instantiate(relaxed, { env: { memory } })).exports;
  if (relaxedSimd) imports.relaxed_simd = relaxedSimd;
  const { exports } = await WebAssembly.instantiate(module, imports);
  exports.stackRestore(end);
  const relaxedStack = exports.web_start_worker(begin);
  if (relaxedSimd) relaxedSimd.__stack_pointer.value = relaxedStack;
  return exports;
}

async function work(message, port) {
  let exports;
  try {
    exports = await start(message);
  } catch (error) {
    port.postMessage({ error: error.message });
    return;
  }
  port.postMessage({});
  try {
    exports.web_be_worker();
  } catch {
    exports.web_worker_failed();
  }
}

// No await out here: bundlers may make a classic script of this file.
const { process } = globalThis;
if (process?.versions?.node !== undefined && !process.type) {
  const threads = 'node:worker_threads';  // In a variable, so that bundlers for the browser leave it alone.
  import(/* @vite-ignore */ /* webpackIgnore: true */ threads).then(({ parentPort }) =>
    parentPort.once('message', (message) => work(message, parentPort)));
} else {
  globalThis.onmessage = ({ data }) => work(data, globalThis);
}
