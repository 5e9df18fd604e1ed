"""From what callers have (numpy arrays, PIL images) to the library's view of pixels, without a copy if possible."""

from __future__ import annotations

import ctypes
import sys
from typing import Any, Dict, Optional, Protocol, Tuple, Union

import numpy as np
import numpy.typing as npt

from . import _c, errors


class SupportsArrayInterface(Protocol):
    """PIL images, and everything else that numpy can look into."""

    @property
    def __array_interface__(self) -> Dict[str, Any]: ...


#: A picture: HxWx3, HxWx4 (alpha is ignored) or HxW (grey), uint8, any strides; or a PIL image.
ImageInput = Union["npt.NDArray[np.uint8]", SupportsArrayInterface]

#: x, y, width and height in pixels of the stored picture.
Box = Tuple[int, int, int, int]

_FORMATS = {
    ("rgb", 3): _c.PixelFormat.RGB8,
    ("bgr", 3): _c.PixelFormat.BGR8,
    ("rgb", 4): _c.PixelFormat.RGBA8,
    ("bgr", 4): _c.PixelFormat.BGRA8,
    ("rgb", 1): _c.PixelFormat.GRAY8,
    ("bgr", 1): _c.PixelFormat.GRAY8,
}
_OTHER_ORDER = {"rgb": "bgr", "bgr": "rgb"}


# Pixels above which a picture is checked before anything of its size is made: far more time than the check takes.
_LARGE = 2**24
_UINT8 = np.dtype(np.uint8)
_DEFAULTS = bytes(_c.with_defaults(_c.Image, "deeplab_image_init"))


class Picture:
    """A deeplab_image together with the array whose memory it points to. Size in pixels, of the upright picture."""

    def __init__(self, array: npt.NDArray[np.uint8], struct: _c.Image, width: int, height: int) -> None:
        self.array = array
        self.struct = struct
        self.width = width
        self.height = height


def picture_of(
    image: ImageInput,
    channels: str = "rgb",
    region: Optional[Box] = None,
    rotation: int = 0,
    mirror: bool = False,
) -> Picture:
    """Checks `image` and points a deeplab_image to its pixels. They are copied only if the bytes of one pixel, or the
    pixels of one row, do not lie side by side. Errors: TypeError for anything but 8-bit pixels, InvalidArgument for a
    shape, size or region that is not one of a picture."""
    if channels not in _OTHER_ORDER:
        raise errors.InvalidArgument(f"channels is {channels!r}; expected 'rgb' or 'bgr'")
    array = image if type(image) is np.ndarray else _array_of(image, channels)
    if array.dtype != _UINT8:
        raise TypeError(f"the picture has values of type {array.dtype}; expected uint8, 0 to 255. Convert it first: "
                        f"the range of other types is not known, and not guessed")
    shape = array.shape
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise errors.InvalidArgument(f"the picture has the shape {shape}; expected HxWx3, HxWx4 or HxW")

    height, width, depth = array.shape
    struct = _c.Image.from_buffer_copy(_DEFAULTS)
    struct.width = width if width < 2**31 else _c.integer(width, "the picture's width")
    struct.height = height if height < 2**31 else _c.integer(height, "the picture's height")
    # The library checks every picture when it reads it; here only what must be known before.
    is_plain = region is None and rotation == 0 and not mirror and 0 < width * height <= _LARGE
    if not is_plain:
        _set_turn(struct, region, rotation, mirror)
        width, height = _upright_size(struct, array)
    array, address, channels = _in_place(array, channels)
    struct.planes[0] = address
    struct.strides[0] = array.strides[0]
    struct.format = _FORMATS[channels, depth]
    return Picture(array, struct, width, height)


def mask_rows(mask: npt.NDArray[Any], dtype: Any, what: str) -> npt.NDArray[Any]:
    """A HxW array whose pixels lie side by side in each row: `mask` itself, or else a copy."""
    array = np.asarray(mask)
    if array.dtype != dtype:
        raise TypeError(f"the {what} has values of type {array.dtype}; expected {np.dtype(dtype)}")
    if array.ndim != 2:
        raise errors.InvalidArgument(f"the {what} has the shape {array.shape}; expected HxW")
    itemsize = array.itemsize
    is_tight = array.shape[1] <= 1 or array.strides[1] == itemsize
    is_apart = array.shape[0] <= 1 or abs(array.strides[0]) >= array.shape[1] * itemsize
    return array if is_tight and is_apart and array.flags.aligned else np.ascontiguousarray(array)


class _Buffer(ctypes.Structure):
    """CPython's Py_buffer."""

    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    ]


_get_buffer = ctypes.pythonapi.PyObject_GetBuffer
_get_buffer.argtypes = [ctypes.py_object, ctypes.POINTER(_Buffer), ctypes.c_int]
_release_buffer = ctypes.pythonapi.PyBuffer_Release
_release_buffer.argtypes, _release_buffer.restype = [ctypes.POINTER(_Buffer)], None
_STRIDES = 0x18  # PyBUF_STRIDES: any array, also one that is read-only


def address_of(array: npt.NDArray[Any]) -> int:
    """Of the first element, which is that of the top row whatever the strides.

    array.ctypes.data and array.__array_interface__ say the same, and are as fast in a loop of their own. Between two
    runs of the network, which leave nothing in the CPU's caches, they took 50 microseconds, this 25."""
    buffer = _Buffer()
    place = ctypes.byref(buffer)
    _get_buffer(array, place, _STRIDES)
    address: int = buffer.buf
    _release_buffer(place)
    return address


def _array_of(image: ImageInput, channels: str) -> npt.NDArray[Any]:
    """Of any type: the caller looks at that."""
    pil = sys.modules.get("PIL.Image")
    if pil is not None and isinstance(image, pil.Image):
        if channels != "rgb":
            raise errors.InvalidArgument("channels is 'bgr', but the pixels of a PIL image are always RGB")
        return _array_of_pil(image)
    array = np.asarray(image)
    if array.ndim == 0:
        raise TypeError(f"the picture is of type {type(image).__name__}; expected a numpy array or a PIL image")
    return array


def _array_of_pil(image: Any) -> npt.NDArray[np.uint8]:
    """8-bit modes only: how a mode with more bits is to be scaled is the caller's knowledge."""
    if image.mode not in ("RGB", "RGBA", "L"):
        if image.mode not in ("1", "P", "LA", "PA", "La", "RGBX", "RGBa", "CMYK", "YCbCr"):
            raise TypeError(f"the PIL image has mode {image.mode}; expected 8 bits per channel, such as RGB or L")
        image = image.convert("RGB")
    return np.asarray(image)


def _in_place(array: npt.NDArray[np.uint8], channels: str) -> Tuple[npt.NDArray[np.uint8], int, str]:
    """The array, or a copy that the library can read, with the address of its first pixel and its channel order."""
    height, width, depth = array.shape
    row, pixel, channel = array.strides
    is_row = (width <= 1 or pixel == depth) and (height <= 1 or abs(row) >= width * depth)
    if is_row and (depth == 1 or channel == 1):
        return array, address_of(array), channels
    # bgr[:, :, ::-1], the usual way to turn OpenCV's order around: the same pixels, read in their own order.
    if is_row and depth == 3 and channel == -1 and array.size > 0:
        return array, address_of(array) - 2, _OTHER_ORDER[channels]
    array = np.ascontiguousarray(array)
    return array, address_of(array), channels


def _set_turn(struct: _c.Image, region: Optional[Box], rotation: int, mirror: bool) -> None:
    if region is not None:
        try:
            x, y, width, height = region
        except (TypeError, ValueError):
            raise errors.InvalidArgument(f"region is {region!r}; expected x, y, width, height") from None
        struct.region_x = _c.integer(x, "the region's x")
        struct.region_y = _c.integer(y, "the region's y")
        struct.region_width = _c.integer(width, "the region's width")
        struct.region_height = _c.integer(height, "the region's height")
        # 0, 0 means to the library: all of it.
        if struct.region_width == 0 and struct.region_height == 0:
            raise errors.InvalidArgument("the region is empty")
    struct.mirror = 1 if mirror else 0
    struct.rotation = _c.integer(rotation, "rotation")


def _upright_size(struct: _c.Image, array: npt.NDArray[np.uint8]) -> Tuple[int, int]:
    """Width and height, in pixels, after the library has checked both. No pixel is read, and place and format of the
    pixels are not yet those of the array."""
    struct.planes[0] = address_of(array)
    struct.strides[0] = struct.width * 4
    width, height = ctypes.c_int32(), ctypes.c_int32()
    _c.library.deeplab_image_size(ctypes.byref(struct), ctypes.byref(width), ctypes.byref(height))
    return width.value, height.value
