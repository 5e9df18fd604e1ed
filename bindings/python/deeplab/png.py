"""PNG files from arrays, with the standard library and numpy alone."""

from __future__ import annotations

import struct
import zlib
from typing import Optional

import numpy as np
import numpy.typing as npt

from . import errors

_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}
_INDEXED = 3


def encode(pixels: npt.NDArray[np.uint8], palette: Optional[npt.NDArray[np.uint8]] = None) -> bytes:
    """The bytes of a PNG file.

    `pixels`: uint8, HxW (grey, or indices into `palette`), HxWx3 (RGB) or HxWx4 (RGBA), with a side of at least 1.
    `palette`: uint8, Nx3, at most 256 colours, only together with HxW. Any thread."""
    array = np.asarray(pixels)
    if array.dtype != np.uint8:
        raise TypeError(f"pixels of a PNG are uint8, not {array.dtype}")
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    if array.ndim != 3 or array.shape[2] not in _COLOUR_TYPES or 0 in array.shape:
        raise errors.InvalidArgument(f"pixels have the shape {np.shape(pixels)}; expected HxW, HxWx3 or HxWx4")
    height, width, depth = array.shape
    if palette is not None and depth != 1:
        raise errors.InvalidArgument("a palette goes with HxW indices only")

    colour_type = _COLOUR_TYPES[depth] if palette is None else _INDEXED
    file = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0))
    if palette is not None:
        file += _chunk(b"PLTE", np.asarray(palette, np.uint8).tobytes())
    return file + _chunk(b"IDAT", _compress(array, is_photo=depth > 1)) + _chunk(b"IEND", b"")


def _compress(array: npt.NDArray[np.uint8], is_photo: bool) -> bytes:
    """Each row after one byte with its filter: of photos 1, the difference to the pixel on the left; else 0."""
    height, width, depth = array.shape
    rows = np.empty((height, 1 + width * depth), np.uint8)
    rows[:, 0] = 1 if is_photo else 0
    body = rows[:, 1:].reshape(height, width, depth)
    body[...] = array
    if is_photo:
        body[:, 1:] -= array[:, :-1]
    rows[:, 1:] = body.reshape(height, width * depth)
    return zlib.compress(rows.tobytes(), 6 if not is_photo else 3)


def _chunk(name: bytes, data: bytes) -> bytes:
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
