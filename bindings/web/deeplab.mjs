// Semantic segmentation of photos in the browser and in Node: see README.md. deeplab.wasm beside this file is the
// library with its model, deeplab-worker.mjs a thread of it; nothing else is read.

/** What went wrong: `code` is the status name, as "INVALID_MODEL", `message` one sentence. */
export class DeeplabError extends Error {
  constructor(code, message) {
    super(message);
    this.name = 'DeeplabError';
    this.code = code;
  }
}

const FITS = ['pad', 'letterbox', 'stretch'];
const MAX_CLASSES = 255;
const MAX_THREADS = 256;
const MAX_LABEL_FILE = 1 << 20;  // The library's limit.

const invalid = (message) => new DeeplabError('INVALID_ARGUMENT', message);

const { process } = globalThis;
const node = process?.versions?.node !== undefined && process.type !== 'renderer';  // That is Electron's pages.

// In variables, so that bundlers for the browser leave these alone.
const nodeModule = (name) => import(/* @vite-ignore */ /* webpackIgnore: true */ name);

async function readFileOfModule() {
  const url = new URL('deeplab.wasm', import.meta.url);
  if (url.protocol === 'file:' && node) return new Uint8Array(await (await nodeModule('node:fs/promises')).readFile(url));
  const response = await fetch(url);
  if (!response.ok) throw new DeeplabError('IO_ERROR', `${url}: the server answers ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * Where the file says what memory it imports: the byte of flags, whose bit 1 is "shared", and the pages of 64 KiB at
 * first and at most.
 */
function findMemory(bytes) {
  const foreign = () => new DeeplabError('IO_ERROR', 'deeplab.wasm: the file is not the one that belongs to deeplab.mjs');
  if (![0, 0x61, 0x73, 0x6d].every((byte, i) => byte === bytes[i])) throw foreign();
  let at = 8;
  const number = () => {  // LEB128
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 127) << shift;
      if (!(byte & 128)) return value;
    }
  };
  const skipName = () => {
    const length = number();
    at += length;
  };
  while (at < bytes.length) {
    const section = bytes[at++];
    const length = number();
    if (section !== 2) {
      at += length;
      continue;
    }
    for (let left = number(); left > 0; --left) {
      skipName();
      skipName();
      const kind = bytes[at++];
      if (kind === 2) {
        const flags = at++;
        return { flags, initial: number(), maximum: number() };
      }
      number();  // A function's type; the file imports nothing else before the memory.
    }
  }
  throw foreign();
}

const modules = {};  // By whether memory is shared: promises of what all segmenters have in common.

/** What WebAssembly.instantiate() takes, and the memory that it imports. */
async function compileFor(shared, bytes) {
  const { flags, initial, maximum } = findMemory(bytes);
  // The same instructions are valid for both kinds of memory.
  if (!shared) bytes[flags] &= ~2;
  return { module: await WebAssembly.compile(bytes), memory: { initial, maximum, shared } };
}

/**
 * A section of deeplab.wasm is the module of what needs relaxed SIMD. If the host does not know these instructions,
 * `relaxed` is null.
 */
async function compile(shared) {
  const { module, memory } = await compileFor(shared, await readFileOfModule());
  const [section] = WebAssembly.Module.customSections(module, 'relaxed_simd');
  const relaxed = await compileFor(shared, new Uint8Array(section)).catch(() => ({ module: null }));
  return { module, memory, relaxed: relaxed.module };
}

function compileOnce(shared) {
  modules[shared] ??= compile(shared).catch((error) => {
    modules[shared] = undefined;  // A later call may succeed.
    throw error instanceof DeeplabError ? error : new DeeplabError('IO_ERROR', `deeplab.wasm: ${error.message}`);
  });
  return modules[shared];
}

/** One instance of the module: a memory of its own, so that no file or picture of one segmenter reaches another. */
class Instance {
  #workers = [];
  #stopped = false;

  static async create(shared) {
    const { module, memory, relaxed } = await compileOnce(shared);
    const self = new Instance();
    self.module = module;
    self.relaxed = relaxed;
    try {
      self.memory = new WebAssembly.Memory(memory);
    } catch (error) {
      throw new DeeplabError('RESOURCE_EXHAUSTED', `no memory for another segmenter: ${error.message}`);
    }
    const relaxedSimd = relaxed && (await WebAssembly.instantiate(relaxed, { env: { memory: self.memory } })).exports;
    self.exports = (await WebAssembly.instantiate(module, self.#imports(module, relaxedSimd))).exports;
    self.exports._initialize?.();
    if (relaxedSimd) relaxedSimd.__stack_pointer.value = self.exports.web_relaxed_simd_stack();
    return self;
  }

  // What C's library asks of a system: the time, and an environment, which is empty. What it would need to end the
  // program is an error.
  #imports(module, relaxedSimd) {
    const imports = {};
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
      imports[from] ??= {};
      imports[from][name] = kind === 'memory' ? this.memory : () => {
        throw new DeeplabError('INTERNAL', `the module called ${name}()`);
      };
    }
    imports.env = { ...imports.env, emscripten_notify_memory_growth() {} };
    imports.relaxed_simd = relaxedSimd ?? { ...imports.relaxed_simd, is_fused: () => 0 };
    imports.wasi_snapshot_preview1 = {
      ...imports.wasi_snapshot_preview1,
      environ_sizes_get: (count, size) => {
        for (const at of [count, size]) new DataView(this.memory.buffer).setUint32(at, 0, true);
        return 0;
      },
      environ_get: () => 0,
      clock_time_get: (_clock, _precision, at) => {
        const nanoseconds = BigInt(Math.round(performance.now() * 1e6));
        new DataView(this.memory.buffer).setBigUint64(at, nanoseconds, true);
        return 0;
      },
    };
    return imports;
  }

  /** Starts `count` workers; gives a promise that they run. */
  async startWorkers(count) {
    const bytes = this.exports.web_worker_bytes();
    await Promise.all(Array.from({ length: count }, async () => {
      // Code relies on the alignment of stacks; malloc() gives 8 bytes of it.
      const memory = this.exports.malloc(bytes + 64) >>> 0;
      const begin = Math.ceil(memory / 64) * 64;
      if (memory === 0) throw new DeeplabError('RESOURCE_EXHAUSTED', `no memory for ${count + 1} threads`);
      const worker = await newWorker();
      if (this.#stopped) return void worker.terminate();
      this.#workers.push(worker);
      try {
        const { module, relaxed, memory } = this;
        await handOver(worker, { module, relaxed, memory, begin, end: begin + bytes });
      } catch (error) {
        throw new DeeplabError('IO_ERROR', `deeplab-worker.mjs: the worker did not start: ${error.message}`);
      }
      worker.unref?.();  // A program of Node may end while a segmenter is open.
    }));
  }

  stopWorkers() {
    this.#stopped = true;
    if (this.#workers.length > 0) this.exports.web_stop_workers();
    for (const worker of this.#workers.splice(0)) worker.terminate();
  }

  // Views are made for each use: a memory that grows leaves older ones empty, or too short.
  bytes(at, length) {
    return new Uint8Array(this.memory.buffer, at, length);
  }
  int32(at) {
    return new DataView(this.memory.buffer).getInt32(at, true);
  }
  float64(at) {
    return new DataView(this.memory.buffer).getFloat64(at, true);
  }
  text(at) {
    const all = new Uint8Array(this.memory.buffer);
    return new TextDecoder().decode(all.slice(at, all.indexOf(0, at)));
  }

  /** Memory for `use`, which gets one address per size; freed afterwards. */
  withMemory(sizes, use) {
    const addresses = [];
    try {
      for (const size of sizes) {
        const address = this.exports.malloc(Math.max(size, 1)) >>> 0;
        if (address === 0) throw new DeeplabError('RESOURCE_EXHAUSTED', `no memory for ${size} bytes`);
        addresses.push(address);
      }
      return use(...addresses);
    } finally {
      for (const address of addresses) this.exports.free(address);
    }
  }

  /** Turns a status that is not OK into an error. */
  check(status) {
    if (status === 0) return;
    throw new DeeplabError(this.text(this.exports.deeplab_status_name(status)),
      this.text(this.exports.deeplab_last_error()));
  }
}

async function newWorker() {
  if (!node) return new Worker(new URL('deeplab-worker.mjs', import.meta.url), { type: 'module' });
  const threads = await nodeModule('node:worker_threads');
  // Options of the program are not for its workers: --input-type, say, would be refused.
  return new threads.Worker(new URL('deeplab-worker.mjs', import.meta.url), { execArgv: [] });
}

/** Sends a worker its message, waits for the answer. */
function handOver(worker, message) {
  return new Promise((resolve, reject) => {
    const failed = (error) => reject(new Error(error.message || 'its file cannot be loaded'));
    const answered = ({ error }) => (error === undefined ? resolve() : reject(new Error(error)));
    if (node) {
      worker.once('message', answered).once('error', failed);
    } else {
      worker.onmessage = ({ data }) => answered(data);
      worker.onerror = failed;
    }
    worker.postMessage(message);
  });
}

async function cpuCount() {
  if (!node) return globalThis.navigator?.hardwareConcurrency ?? 1;
  const os = await nodeModule('node:os');
  return os.availableParallelism?.() ?? os.cpus().length;
}

/** Whether memory can be shared: in Node, and in pages that are isolated from other origins. */
const mayShare = () => typeof SharedArrayBuffer !== 'undefined' && (node || globalThis.crossOriginIsolated === true);

/** A page's main thread must not wait. */
function maySleep() {
  if (!mayShare()) return false;
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}

async function bytesOfModel(model) {
  if (model instanceof ArrayBuffer) return new Uint8Array(model);
  if (ArrayBuffer.isView(model)) return new Uint8Array(model.buffer, model.byteOffset, model.byteLength);
  if (typeof Blob !== 'undefined' && model instanceof Blob) return new Uint8Array(await model.arrayBuffer());
  throw invalid('model: expected the bytes of a .tflite file (ArrayBuffer, Uint8Array or Blob), or nothing for ' +
    'the built-in one');
}

/** The content of a raw deflate stream, which has `size` bytes or is an error; null if the host cannot inflate. */
async function inflate(packed, size) {
  if (node) {
    const content = (await nodeModule('node:zlib')).inflateRawSync(packed, { maxOutputLength: size + 1 });
    if (content.length !== size) throw new RangeError();
    return content;
  }
  let stream;
  try {
    stream = new DecompressionStream('deflate-raw');
  } catch {
    return null;
  }
  const content = new Uint8Array(size);
  const reader = new Blob([packed]).stream().pipeThrough(stream).getReader();
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    content.set(part.value, length);  // An error if there is more.
    length += part.value.length;
  }
  if (length < size) throw new RangeError();
  return content;
}

/**
 * The module has no zlib. So label files that lie deflated in the ZIP archive at a model's end come a second time,
 * stored, and the archive's directory says so. Numbers are positions in PKWARE's APPNOTE 4.3. An archive that is not as
 * expected stays as it is: the library says what is wrong with it.
 */
async function withStoredLabels(file) {
  const uint16 = (bytes, at) => bytes[at] | bytes[at + 1] << 8;
  const uint32 = (bytes, at) => (uint16(bytes, at) | uint16(bytes, at + 2) << 16) >>> 0;
  const end = file.length - 22;
  if (end < 0 || uint32(file, end) !== 0x06054b50) return file;
  const directoryAt = end - uint32(file, end + 12);
  const start = directoryAt - uint32(file, end + 16);
  if (start < 0) return file;
  const tail = file.slice(directoryAt);
  const tailView = new DataView(tail.buffer);
  const parts = [];
  let partsAt = directoryAt;
  for (let at = 0; at + 46 <= end - directoryAt && uint32(tail, at) === 0x02014b50;) {
    const [method, packedSize, size, nameLength] = [uint16(tail, at + 10), uint32(tail, at + 20), uint32(tail, at + 24),
      uint16(tail, at + 28)];
    const header = start + uint32(tail, at + 42);
    const data = header + 30 + uint16(file, header + 26) + uint16(file, header + 28);
    const isEncrypted = (uint16(tail, at + 8) & 1) !== 0;
    if (method === 8 && !isEncrypted && data + packedSize <= directoryAt) {
      let content;
      try {
        // The library reads no longer ones, and says so.
        content = size > MAX_LABEL_FILE ? new Uint8Array() : await inflate(file.subarray(data, data + packedSize), size);
      } catch {
        throw new DeeplabError('INVALID_MODEL', 'the ZIP archive after the model is damaged: an entry does not inflate');
      }
      if (content === null) return file;
      tailView.setUint16(at + 10, 0, true);
      tailView.setUint32(at + 20, size, true);
      tailView.setUint32(at + 42, partsAt - start, true);
      const local = new Uint8Array(30);
      local.set([0x50, 0x4b, 3, 4]);  // The library takes the rest from the directory.
      parts.push(local, content);
      partsAt += local.length + content.length;
    }
    at += 46 + nameLength + uint16(tail, at + 30) + uint16(tail, at + 32);
  }
  if (parts.length === 0) return file;
  tailView.setUint32(tail.length - 6, partsAt - start, true);
  return new Uint8Array(await new Blob([file.subarray(0, directoryAt), ...parts, tail]).arrayBuffer());
}

function sizeOf(size) {
  if (size === undefined || size === null) return [0, 0];
  const [width, height] = Array.isArray(size) ? size : [size, size];
  const whole = (value) => Number.isInteger(value) && value >= 1 && value <= 65535;
  if (!whole(width) || !whole(height)) throw invalid(`size: expected a number of pixels or [width, height], found ${size}`);
  return [width, height];
}

function pixelsOfBitmap(bitmap) {
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

/** {data, width, height, channels} of everything that segment() takes. */
function pictureOf(image) {
  if (typeof ImageBitmap !== 'undefined' && image instanceof ImageBitmap) {
    if (image.width === 0) throw invalid('image: this ImageBitmap is closed');
    image = pixelsOfBitmap(image);
  }
  if (image === null || typeof image !== 'object') {
    throw invalid('image: expected ImageData, ImageBitmap or {data, width, height, channels}');
  }
  const { data, width, height, channels = 4 } = image;
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) {
    throw invalid(`image.data: expected 8-bit pixels (Uint8Array or Uint8ClampedArray), found ` +
      `${data?.constructor?.name ?? data}`);
  }
  if (![1, 3, 4].includes(channels)) throw invalid(`image.channels: expected 1, 3 or 4, found ${channels}`);
  if (!Number.isInteger(width) || !Number.isInteger(height)) {
    throw invalid(`image: expected a whole number of pixels as width and height, found ${width}x${height}`);
  }
  return { data, width, height, channels };
}

function checkedLength({ data, width, height, channels }) {
  const bytes = width * height * channels;
  if (data.length !== bytes) {
    throw invalid(`image.data: ${width}x${height} pixels of ${channels} channels are ${bytes} bytes, found ` +
      `${data.length}`);
  }
  return bytes;
}

function imageData(data, width, height) {
  return typeof ImageData !== 'undefined' ? new ImageData(data, width, height) : { data, width, height };
}

/** One model, ready to run on pictures. */
export class Segmenter {
  #wasm;
  #model = 0;
  #segmenter = 0;
  #last = null;  // The result whose scores the segmenter has.

  static async create(options = {}) {
    const { model, threads = 0, fit = 'pad', size, isa } = options;
    if (!FITS.includes(fit)) throw invalid(`fit: expected one of ${FITS.join(', ')}, found ${fit}`);
    if (!Number.isInteger(threads) || threads < 0 || threads > MAX_THREADS) {
      throw invalid(`threads: expected 0 to ${MAX_THREADS}, found ${threads}`);
    }
    const [width, height] = sizeOf(size);
    const bytes = (model ?? null) === null ? null : await withStoredLabels(await bytesOfModel(model));
    if (bytes !== null && bytes.length === 0) throw new DeeplabError('INVALID_MODEL', 'model: the file is empty');
    const count = !mayShare() ? 1 : threads > 0 ? threads : Math.min(Math.max(await cpuCount(), 1), MAX_THREADS);
    const self = new Segmenter();
    self.#wasm = await Instance.create(count > 1);
    try {
      const started = self.#wasm.startWorkers(count - 1);
      started.catch(() => {});  // If the model is refused first, nobody waits for the workers.
      self.#guarded(() => self.#open(bytes, count, FITS.indexOf(fit), width, height, isa));
      await started;
    } catch (error) {
      self.close();
      // Browsers that have no module workers, policies that forbid workers: one thread, unless more were asked for.
      if (error.code === 'IO_ERROR' && threads === 0) return Segmenter.create({ ...options, threads: 1 });
      throw error;
    }
    return self;
  }

  #open(bytes, threads, fit, width, height, isa) {
    const w = this.#wasm;
    w.withMemory([4], (out) => {
      if (bytes === null) {
        w.check(w.exports.web_load(0, 0, out));
      } else {
        w.withMemory([bytes.length], (copy) => {
          w.bytes(copy, bytes.length).set(bytes);
          w.check(w.exports.web_load(copy, bytes.length, out));
        });
      }
      this.#model = w.int32(out);
      const name = new TextEncoder().encode(`${isa ?? ''}\0`);
      w.withMemory([name.length], (text) => {
        w.bytes(text, name.length).set(name);
        w.check(w.exports.web_create(this.#model, threads, maySleep() ? 1 : 0, fit, width, height,
          isa === undefined ? 0 : text, out));
      });
      this.#segmenter = w.int32(out);
    });
    w.withMemory([12, 4], (numbers, isaName) => {
      w.check(w.exports.web_info(this.#segmenter, numbers, isaName));
      /** Width and height of the network's canvas, in pixels. */
      this.canvas = Object.freeze([w.int32(numbers), w.int32(numbers + 4)]);
      /** Threads at work on a picture. */
      this.threads = w.int32(numbers + 8);
      /** The kernel family in use. */
      this.isa = w.text(w.int32(isaName));
    });
    const count = Math.min(w.exports.deeplab_model_class_count(this.#model), MAX_CLASSES);
    const ids = Array.from({ length: count }, (_, id) => id);
    /** Names of the classes, by id. */
    this.labels = Object.freeze(ids.map((id) => w.text(w.exports.deeplab_model_label(this.#model, id))));
    /** Colours of the classes as [red, green, blue], by id. */
    this.colors = Object.freeze(ids.map((id) => w.withMemory([3], (rgb) => {
      w.exports.deeplab_class_color(id, rgb);
      return Object.freeze([...w.bytes(rgb, 3)]);
    })));
  }

  // A trap (a stack that overflows, say) leaves the module's memory in no known state: the segmenter is closed.
  #guarded(use) {
    if (this.#wasm === null) throw new DeeplabError('INVALID_STATE', 'this segmenter is closed');
    try {
      return use();
    } catch (error) {
      if (error instanceof DeeplabError) throw error;
      this.close();
      throw new DeeplabError('INTERNAL', `the module stopped: ${error.message}`);
    }
  }

  /** Runs the network on one picture and gives its label map, of the picture's own size. */
  async segment(image) {
    return this.#guarded(() => this.#run(pictureOf(image)));
  }

  #run(picture) {
    const w = this.#wasm;
    const { data, width, height, channels } = picture;
    w.check(w.exports.web_check(width, height, channels));
    const length = checkedLength(picture);
    const begin = performance.now();
    this.#last = null;
    const categoryMask = w.withMemory([length], (pixels) => {
      w.bytes(pixels, length).set(data);
      w.check(w.exports.web_run(this.#segmenter, pixels, width, height, channels));
      return w.withMemory([width * height], (mask) => {
        w.check(w.exports.deeplab_segmenter_category_mask(this.#segmenter, width, height, mask, width));
        return w.bytes(mask, width * height).slice();
      });
    });
    const timing = w.withMemory([24], (ms) => {
      w.check(w.exports.web_timing(this.#segmenter, ms));
      return { prepare: w.float64(ms), infer: w.float64(ms + 8), labels: w.float64(ms + 16) };
    });
    timing.total = performance.now() - begin;
    const result = new Segmentation(this, picture, categoryMask, timing, {
      overlay: (options) => this.#guarded(() => this.#overlay(result, picture, options)),
      cutout: (classes) => this.#guarded(() => this.#cutout(result, picture, classes)),
    });
    this.#last = result;
    return result;
  }

  #overlay(result, { data, width, height, channels }, { opacity = 0.55, contours = true, legend = false } = {}) {
    const w = this.#wasm;
    if (typeof opacity !== 'number' || !(opacity >= 0 && opacity <= 1)) throw invalid(`opacity: expected 0 to 1, found ${opacity}`);
    const pixelCount = width * height;
    return w.withMemory([data.length, pixelCount, 3 * width, 4 * pixelCount], (pixels, mask, row, rgba) => {
      w.bytes(pixels, data.length).set(data);
      w.bytes(mask, pixelCount).set(result.categoryMask);
      w.check(w.exports.web_overlay(pixels, width, height, channels, mask, opacity, contours ? 1 : 0, legend ? 1 : 0,
        this.#model, row, rgba));
      return imageData(new Uint8ClampedArray(w.bytes(rgba, 4 * pixelCount)), width, height);
    });
  }

  #cutout(result, { data, width, height, channels }, classes) {
    const w = this.#wasm;
    if (this.#last !== result) {
      throw new DeeplabError('INVALID_STATE', 'cutout: the segmenter has run on another picture since');
    }
    const ids = (Array.isArray(classes) ? classes : [classes]).map((name) =>
      typeof name === 'number' ? name : this.labels.indexOf(name));
    if (ids.length === 0 || ids.some((id) => !Number.isInteger(id) || id < 0 || id >= this.labels.length)) {
      throw invalid(`cutout: expected names or ids of classes, found ${classes}`);
    }
    const count = width * height;
    return w.withMemory([data.length, 4 * ids.length, 4 * count, 4 * count], (pixels, list, confidence, rgba) => {
      w.bytes(pixels, data.length).set(data);
      new Int32Array(w.memory.buffer, list, ids.length).set(ids);
      w.check(w.exports.deeplab_segmenter_confidence_mask(this.#segmenter, list, ids.length, width, height, confidence,
        4 * width));
      w.check(w.exports.web_cut_out(pixels, width, height, channels, confidence, rgba));
      return imageData(new Uint8ClampedArray(w.bytes(rgba, 4 * count)), width, height);
    });
  }

  /** Bytes of the module's memory, which never shrinks. */
  get memoryBytes() {
    return this.#guarded(() => this.#wasm.memory.buffer.byteLength);
  }

  /** Gives the memory back. Results that were handed out keep their masks. */
  close() {
    this.#wasm?.stopWorkers();
    this.#wasm = null;
    this.#last = null;
  }
}

/** The label map of one picture. Its arrays are its own; the picture is referred to, not copied. */
class Segmentation {
  #draw;

  constructor(segmenter, { width, height }, categoryMask, timing, draw) {
    this.categoryMask = categoryMask;
    this.width = width;
    this.height = height;
    this.labels = segmenter.labels;
    this.timing = timing;
    this.#draw = draw;
    const pixels = new Uint32Array(256);
    for (let i = 0; i < categoryMask.length; ++i) ++pixels[categoryMask[i]];
    /** The share of each class found, by name, largest first. */
    this.fractions = Object.fromEntries([...pixels]
      .map((count, id) => [this.labels[id] ?? `class ${id}`, count / categoryMask.length])
      .filter(([, share]) => share > 0)
      .sort(([, a], [, b]) => b - a));
  }

  /** The picture with its classes in colours: ImageData, in Node {data, width, height}. */
  overlay(options) {
    return this.#draw.overlay(options);
  }

  /** The picture with all but these classes transparent, soft edges; only until the segmenter's next picture. */
  cutout(classes) {
    return this.#draw.cutout(classes);
  }
}
