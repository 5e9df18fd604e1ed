"""What can be made of masks: colours, overlays, cut-outs and polygons. No model is needed.

A category mask is a HxW array of uint8 class ids; 255 means: ignored. Results are new arrays that belong to the caller.
Any thread may call these functions, and the interpreter lock is free while the library works.
"""

from __future__ import annotations

import ctypes
from ctypes import byref
from dataclasses import dataclass
from typing import Any, List, Optional, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt

from . import _c, errors
from ._images import Box, ImageInput, Picture, address_of, mask_rows, picture_of

#: A palette: its name, or an Nx3 array of R, G, B for the first N class ids, N at most 256.
PaletteInput = Union[str, "npt.NDArray[np.uint8]"]


@dataclass(frozen=True)
class Region:
    """Pixels of one class that hang together over their sides."""

    class_id: int
    label: str
    area: int  # pixels, exact whatever the tolerance
    box: Box  # x, y, width, height of the smallest rectangle around it, as in COCO
    #: Nx2 int32 arrays of x, y, corners of pixels: the outline, clockwise on the screen, then its holes.
    rings: Tuple["npt.NDArray[np.int32]", ...]


def palette(name: PaletteInput = "voc") -> npt.NDArray[np.uint8]:
    """256x3 colours, R, G, B by class id: "voc", "cityscapes" or "ade20k". An Nx3 uint8 array is filled up with VOC's."""
    colours = np.empty((256, 3), np.uint8)
    if isinstance(name, str):
        _c.library.deeplab_palette(name.encode(), address_of(colours))
        return colours
    given = np.asarray(name)
    if given.dtype != np.uint8 or given.ndim != 2 or given.shape[1] != 3 or len(given) > 256:
        raise errors.InvalidArgument(f"the palette is {given.dtype} of shape {given.shape}; expected uint8, Nx3, "
                                     f"N at most 256")
    _c.library.deeplab_palette(b"voc", address_of(colours))
    colours[: len(given)] = given
    return colours


def colorize(mask: npt.NDArray[np.uint8], palette: PaletteInput = "voc") -> npt.NDArray[np.uint8]:
    """Each pixel in its class's colour: HxWx3, R, G, B."""
    rows = mask_rows(mask, np.uint8, "mask")
    colours = _colours(palette)
    rgb = np.empty((*rows.shape, 3), np.uint8)
    height, width = rows.shape
    _c.library.deeplab_colorize(address_of(rows), width, height, rows.strides[0], address_of(colours),
                                address_of(rgb), rgb.strides[0])
    return rgb


def count_pixels(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """How many pixels have each of the ids 0..255: 256 numbers."""
    rows = mask_rows(mask, np.uint8, "mask")
    pixels = np.empty(256, np.int64)
    height, width = rows.shape
    _c.library.deeplab_count_pixels(address_of(rows), width, height, rows.strides[0], address_of(pixels))
    return pixels


def overlay(
    image: Union[ImageInput, Picture],
    mask: npt.NDArray[np.uint8],
    *,
    channels: str = "rgb",
    labels: Sequence[str] = (),
    palette: PaletteInput = "voc",
    opacity: float = 0.55,
    contours: bool = True,
    legend: bool = True,
) -> npt.NDArray[np.uint8]:
    """The mask in colours over the picture, class 0 left as it is: HxWx3, R, G, B, whatever the picture's order.

    `mask` has the upright picture's size. `opacity` is 0 to 1. `contours`: a light line along the edges of classes.
    `legend`: colour, name and share of each class found, with names from `labels`."""
    picture = _picture(image, channels)
    rows = _of_size(mask_rows(mask, np.uint8, "mask"), picture, "mask")
    colours = _colours(palette)
    names = (ctypes.c_char_p * max(len(labels), 1))(*[label.encode() for label in labels])
    options = _c.with_defaults(_c.OverlayOptions, "deeplab_overlay_options_init")
    options.opacity = opacity
    options.contours = 1 if contours else 0
    options.legend = 1 if legend else 0
    options.label_count = len(labels)
    options.labels = names
    options.palette = address_of(colours)
    rgb = np.empty((picture.height, picture.width, 3), np.uint8)
    _c.library.deeplab_draw_overlay(byref(picture.struct), address_of(rows), rows.strides[0], byref(options),
                                    address_of(rgb), rgb.strides[0])
    return rgb


def cut_out(
    image: Union[ImageInput, Picture], confidence: npt.NDArray[np.float32], *, channels: str = "rgb"
) -> npt.NDArray[np.uint8]:
    """The picture as HxWx4, R, G, B, A: transparent where `confidence`, a float32 mask of the upright picture's size,
    is below 0.2, opaque above 0.8, in between linear."""
    picture = _picture(image, channels)
    rows = _of_size(mask_rows(confidence, np.float32, "confidence mask"), picture, "confidence mask")
    rgba = np.empty((picture.height, picture.width, 4), np.uint8)
    _c.library.deeplab_cut_out(byref(picture.struct), address_of(rows), rows.strides[0], address_of(rgba),
                               rgba.strides[0])
    return rgba


def blur_background(
    image: Union[ImageInput, Picture], confidence: npt.NDArray[np.float32], radius: int = 0, *, channels: str = "rgb"
) -> npt.NDArray[np.uint8]:
    """The picture as HxWx3, R, G, B, with its background out of focus: sharp where `confidence`, a float32 mask of the
    upright picture's size, is above 0.8, blurred up to about `radius` pixels far, 1 to 1024, below 0.2. A radius of 0
    is a twentieth of the picture's shorter side."""
    picture = _picture(image, channels)
    rows = _of_size(mask_rows(confidence, np.float32, "confidence mask"), picture, "confidence mask")
    rgb = np.empty((picture.height, picture.width, 3), np.uint8)
    _c.library.deeplab_blur_background(byref(picture.struct), address_of(rows), rows.strides[0],
                                       _c.integer(radius, "radius", 32), address_of(rgb), rgb.strides[0])
    return rgb


def polygons(
    mask: npt.NDArray[np.uint8],
    *,
    labels: Sequence[str] = (),
    min_area: int = 1,
    tolerance: float = 0.0,
    background: bool = False,
) -> List[Region]:
    """All regions of the mask, ordered by the first pixel of each in reading order.

    `min_area`: smaller regions are left out and smaller holes closed, in pixels. `tolerance`: how far an outline may
    move to lose points, in pixels. `background`: class 0, too."""
    rows = mask_rows(mask, np.uint8, "mask")
    options = _c.with_defaults(_c.PolygonOptions, "deeplab_polygon_options_init")
    options.min_area = _c.integer(min_area, "min_area", 64)
    options.tolerance = tolerance
    options.background = 1 if background else 0
    height, width = rows.shape
    pointer = _c.create(_c.library.deeplab_polygons_trace, address_of(rows), width, height, rows.strides[0],
                        byref(options))
    traced = _c.Handle(pointer, _c.library.deeplab_polygons_free, "list of polygons")
    return [_region(traced, index, labels) for index in range(_c.library.deeplab_polygons_count(pointer))]


def _region(traced: _c.Handle, index: int, labels: Sequence[str]) -> Region:
    found = _c.Region()
    _c.library.deeplab_polygons_region(traced.pointer, index, byref(found))
    label = labels[found.class_id] if found.class_id < len(labels) else f"class {found.class_id}"
    rings = tuple(_ring(traced, index, ring) for ring in range(found.ring_count))
    return Region(found.class_id, label, found.area, (found.x, found.y, found.width, found.height), rings)


def _ring(traced: _c.Handle, index: int, ring: int) -> npt.NDArray[np.int32]:
    points, count = ctypes.c_void_p(), ctypes.c_int32()
    _c.library.deeplab_polygons_ring(traced.pointer, index, ring, byref(points), byref(count))
    return np.array(_c.Memory(traced, points.value or 0, (count.value, 2), "=i4"))  # a copy


def _picture(image: Union[ImageInput, Picture], channels: str) -> Picture:
    return image if isinstance(image, Picture) else picture_of(image, channels)


def _colours(given: PaletteInput) -> npt.NDArray[np.uint8]:
    is_whole = isinstance(given, np.ndarray) and given.shape == (256, 3) and given.dtype == np.uint8
    return np.ascontiguousarray(given) if is_whole else palette(given)


def _of_size(rows: npt.NDArray[Any], picture: Picture, what: str) -> npt.NDArray[Any]:
    if rows.shape != (picture.height, picture.width):
        raise errors.InvalidArgument(f"the {what} is {rows.shape[1]}x{rows.shape[0]} pixels, the picture "
                                     f"{picture.width}x{picture.height}")
    return rows
