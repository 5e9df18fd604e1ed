// The two file formats that both sides can read.
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
