// In the page: one model on both sides. What web.mjs calls is on globalThis.
const models = {};  // By side: {label(), create_ms}
let picture;        // RGB of the canvas's size

/** Ours: pixels in, label map out. */
async function openOurs({ model, threads }) {
  const { Segmenter } = await import('/ours/deeplab.mjs');
  const bytes = await (await fetch(model)).arrayBuffer();
  const segmenter = await Segmenter.create({ model: bytes, threads });
  if (segmenter.threads !== threads) throw new Error(`ours: ${segmenter.threads} threads instead of ${threads}`);
  return {
    isa: segmenter.isa,
    async label() {
      const { categoryMask, timing } = await segmenter.segment(picture);
      return { labels: categoryMask, network: timing.infer };
    },
  };
}

/**
 * The peer: what its users write. The pixels become floats in -1..1, and of the scores of each pixel the highest is
 * looked for.
 */
async function openPeer({ model, threads }) {
  const { loadLiteRt, loadAndCompile, Tensor } = await import('/peer/core/dist/index.js');
  await loadLiteRt('/peer/core/wasm/', { threads: threads > 1 });
  const compiled = await loadAndCompile(model, { accelerator: 'wasm', cpuOptions: { numThreads: threads } });
  const { width, height, data } = picture;
  const values = new Float32Array(data.length);
  return {
    async label() {
      for (let i = 0; i < data.length; ++i) values[i] = data[i] / 127.5 - 1;
      const begin = performance.now();
      const input = new Tensor(values, [1, height, width, 3]);
      const [output] = await compiled.run([input]);
      const scores = output.toTypedArray();
      const network = performance.now() - begin;
      const classes = scores.length / (width * height);
      const labels = new Uint8Array(width * height);
      for (let i = 0, at = 0; i < labels.length; ++i, at += classes) {
        let best = 0;
        for (let c = 1; c < classes; ++c) if (scores[at + c] > scores[at + best]) best = c;
        labels[i] = best;
      }
      input.delete();
      output.delete();
      return { labels, network };
    },
  };
}

const open = { ours: openOurs, peer: openPeer };

globalThis.prepare = async ({ width, height }) => {
  picture = { data: new Uint8Array(await (await fetch('/picture')).arrayBuffer()), width, height, channels: 3 };
  if (!globalThis.crossOriginIsolated) throw new Error('the page is not isolated from other origins');
};

globalThis.openSide = async (side, options) => {
  models[side] = await open[side](options);
  return models[side].isa;
};

/** Milliseconds from the begin of the page's load to the first label map. */
globalThis.first = async (side, options) => {
  await globalThis.openSide(side, options);
  await models[side].label();
  return performance.now();
};

/** The share of pixels on which both sides agree. */
globalThis.agreement = async () => {
  const [ours, peer] = [(await models.ours.label()).labels, (await models.peer.label()).labels];
  if (ours.length !== peer.length) throw new Error(`label maps of ${ours.length} and ${peer.length} pixels`);
  return ours.reduce((sum, label, i) => sum + (label === peer[i]), 0) / ours.length;
};

/** One round: `runs` of one side, each {total, network} in milliseconds. */
globalThis.round = async (side, runs) => {
  const times = [];
  for (let i = 0; i < runs; ++i) {
    const begin = performance.now();
    const { network } = await models[side].label();
    times.push({ total: performance.now() - begin, network });
  }
  return times;
};
