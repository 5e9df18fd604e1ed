// What the comparisons share: two file formats that both sides can read, a picture, statistics.
import {readFileSync} from 'node:fs';

/** A binary 8-bit PPM: {width, height, pixels}, RGB, rows tight. */
export function readPpm(path) {
  const bytes = readFileSync(path);
  const header = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(bytes.subarray(0, 64).toString('latin1'));
  if (!header) throw new Error(`${path} is not a binary 8-bit PPM`);
  const [width, height] = [Number(header[1]), Number(header[2])];
  const pixels = new Uint8Array(bytes.subarray(header[0].length));
  if (pixels.length !== width * height * 3) throw new Error(`${path} has ${pixels.length} bytes of pixels`);
  return {width, height, pixels};
}

/** A .npy of uint8, two-dimensional, as `deeplab bench --label-map` writes it: {width, height, labels}. */
export function readNpy(path) {
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.subarray(10, start).toString('latin1');
  const shape = /'shape': \((\d+), (\d+)\)/.exec(header);
  if (bytes.subarray(1, 6).toString('latin1') !== 'NUMPY' || !header.includes("'|u1'") || !shape) {
    throw new Error(`${path} is not a .npy of uint8 with two dimensions`);
  }
  return {height: Number(shape[1]), width: Number(shape[2]), labels: new Uint8Array(bytes.subarray(start))};
}

/** RGB pixels of discs over gradients with noise, side x side, the same each time. */
export function syntheticPicture(side) {
  const pixels = Buffer.alloc(side * side * 3);
  let random = 2463534242;
  for (let y = 0, at = 0; y < side; ++y) {
    for (let x = 0; x < side; ++x) {
      random ^= random << 13;
      random ^= random >>> 17;
      random ^= random << 5;
      const [u, v] = [(x + 0.5) / side, (y + 0.5) / side];
      const disc = Math.hypot((u * 3) % 1 - 0.5, (v * 3) % 1 - 0.5) < 0.3;
      for (const base of [190 * u, 190 * v, 190 * (1 - u)]) {
        pixels[at++] = (disc ? 220 - base : base) + ((random >>> 0) % 32);
      }
    }
  }
  return pixels;
}

/** Median, minimum and 95th percentile (nearest rank). */
export function spread(samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  const n = sorted.length;
  return {
    median: (sorted[(n - 1) >> 1] + sorted[n >> 1]) / 2,
    min: sorted[0],
    p95: sorted[Math.ceil(0.95 * n) - 1],
  };
}
