// All work of the page: one message in, one message out, in order. {id, kind, ...} gives {id, ...} or {id, error}.
import { Segmenter } from '../deeplab.mjs';

let segmenter = null;
let result = null;

const kinds = {
  // model: bytes or null; size: pixels or null.
  async open({ model, size, fit }) {
    const next = await Segmenter.create({ model, size: size ?? undefined, fit });
    segmenter?.close();
    segmenter = next;
    result = null;
    return { labels: segmenter.labels, colors: segmenter.colors, canvas: segmenter.canvas, threads: segmenter.threads };
  },
  async segment({ bitmap }) {
    if (segmenter === null) throw new Error('no model is open');
    result = await segmenter.segment(bitmap);
    bitmap.close();
    const { width, height, fractions, timing, categoryMask } = result;
    return { width, height, fractions, timing, mask: categoryMask };
  },
  async cutout({ classes }) {
    if (result === null) throw new Error('no photo yet');
    return { pixels: result.cutout(classes) };
  },
};

let last = Promise.resolve();
addEventListener('message', ({ data }) => {
  last = last.then(async () => {
    try {
      postMessage({ id: data.id, ...await kinds[data.kind](data) });
    } catch (error) {
      postMessage({ id: data.id, error: error.message, code: error.code ?? '' });
    }
  });
});
