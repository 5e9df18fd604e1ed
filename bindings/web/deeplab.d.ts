/** The code of a DeeplabError: a status of the C interface, or INVALID_STATE for a segmenter that is closed. */
export type ErrorCode =
  | 'INVALID_ARGUMENT' | 'INVALID_MODEL' | 'UNSUPPORTED' | 'IO_ERROR' | 'RESOURCE_EXHAUSTED' | 'INVALID_STATE'
  | 'INTERNAL';

export class DeeplabError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string);
}

/** 8-bit pixels, rows from the top without gaps: grey, RGB or RGBA (the default; alpha is ignored). */
export interface Picture {
  data: Uint8Array | Uint8ClampedArray;
  width: number;
  height: number;
  channels?: 1 | 3 | 4;
}

export interface Options {
  /** The bytes of a .tflite file; the built-in model without. */
  model?: ArrayBuffer | ArrayBufferView | Blob | null;
  /**
   * At work on a picture, 1 to 256; 0, the default: as many as the host has. In pages that are not isolated from other
   * origins there is one, whatever is asked for: see Segmenter.threads.
   */
  threads?: number;
  /** How a picture is placed on the canvas; 'pad' is the default. */
  fit?: 'pad' | 'letterbox' | 'stretch';
  /** The canvas in pixels, or [width, height]; the model's own without. */
  size?: number | [number, number];
  /**
   * The kernel family: 'relaxedsimd', 'simd128' or 'scalar'; the fastest without. All give the same bytes, but that float
   * models differ in the last bits with 'simd128'.
   */
  isa?: string;
}

export interface OverlayOptions {
  /** Of the colours, 0 to 1; 0.55. */
  opacity?: number;
  /** A light line along the edges of classes; true. */
  contours?: boolean;
  /** Swatch, name and share of each class; false. */
  legend?: boolean;
}

/** RGBA pixels: a browser's ImageData; in Node an object with the same three members. */
export interface Pixels {
  data: Uint8ClampedArray;
  width: number;
  height: number;
}

/** Milliseconds. */
export interface Timing {
  prepare: number;
  infer: number;
  labels: number;
  total: number;
}

export interface Segmentation {
  /** Class ids, row by row, of the picture's own size. */
  readonly categoryMask: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly labels: readonly string[];
  readonly timing: Timing;
  /** The share of each class found, by name, largest first. */
  readonly fractions: Record<string, number>;
  overlay(options?: OverlayOptions): Pixels;
  /** Names or ids of classes. Only until the segmenter's next picture. */
  cutout(classes: string | number | readonly (string | number)[]): Pixels;
}

export class Segmenter {
  static create(options?: Options): Promise<Segmenter>;
  private constructor();
  /** At work on a picture, the one that calls segment() included. */
  readonly threads: number;
  readonly canvas: readonly [number, number];
  readonly isa: string;
  readonly labels: readonly string[];
  readonly colors: readonly (readonly [number, number, number])[];
  readonly memoryBytes: number;
  segment(image: ImageData | ImageBitmap | Picture): Promise<Segmentation>;
  /** Ends the threads and gives the memory back. */
  close(): void;
}
