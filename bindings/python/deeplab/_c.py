"""The C interface, deeplab.h and deeplab_draw.h, by ctypes: constants, structs and functions, and nothing more.

Names are the header's: the struct deeplab_model_info is ModelInfo, the enumerator DEEPLAB_FIT_PAD is Fit.FIT_PAD.
tests/test_layout.py has a C compiler confirm every size, offset, value and argument.

Calls through ctypes release the interpreter lock. A function that returns a deeplab_status raises the exception of
that status itself, with the library's sentence, which belongs to the calling thread.
"""

from __future__ import annotations

import ctypes
import enum
import operator
import os
import pathlib
import weakref
from ctypes import POINTER, c_char_p, c_double, c_float, c_int32, c_int64, c_size_t, c_ssize_t, c_uint64, c_void_p
from typing import Any, Callable, Dict, Optional, Tuple

from . import errors

#: The version of deeplab.h that this file describes. Before 1.0 each minor version may have another interface.
VERSION = (0, 2)


class Status(enum.IntEnum):
    OK = 0
    INVALID_ARGUMENT = 1
    INVALID_MODEL = 2
    UNSUPPORTED = 3
    IO_ERROR = 4
    INVALID_IMAGE = 5
    RESOURCE_EXHAUSTED = 6
    INTERNAL = 7
    WOULD_BLOCK = 8
    STREAM_ENDED = 9
    CANCELLED = 10
    DEADLINE_EXCEEDED = 11


class ElementType(enum.IntEnum):
    FLOAT32 = 0
    INT8 = 1
    UINT8 = 2


class Weights(enum.IntEnum):
    WEIGHTS_FLOAT = 0
    WEIGHTS_PER_TENSOR = 1
    WEIGHTS_PER_CHANNEL = 2


class ModelOutput(enum.IntEnum):
    OUTPUT_SCORES = 0
    OUTPUT_PROBABILITIES = 1
    OUTPUT_LABELS = 2


class PixelFormat(enum.IntEnum):
    RGB8 = 0
    BGR8 = 1
    RGBA8 = 2
    BGRA8 = 3
    GRAY8 = 4


class Fit(enum.IntEnum):
    FIT_PAD = 0
    FIT_LETTERBOX = 1
    FIT_STRETCH = 2


class Backend(enum.IntEnum):
    BACKEND_ENGINE = 0
    BACKEND_TFLITE = 1


class StreamConfidence(enum.IntEnum):
    CONFIDENCE_NONE = 0
    CONFIDENCE_SET = 1
    CONFIDENCE_ALL = 2


class Struct(ctypes.Structure):
    """Base of all structs: sets struct_size. Other members are 0 unless given by name."""

    def __init__(self, **members: Any) -> None:
        super().__init__(struct_size=ctypes.sizeof(self), **members)


class ModelOptions(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("labels", POINTER(c_char_p)),
        ("label_count", c_int32),
        ("threshold", c_float),
        ("output_tensor", c_char_p),
        ("allow_custom_ops", c_int32),
        ("reserved", c_int32),
    ]


class ModelInfo(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("source", c_char_p),
        ("name", c_char_p),
        ("description", c_char_p),
        ("author", c_char_p),
        ("license", c_char_p),
        ("version", c_char_p),
        ("width", c_int32),
        ("height", c_int32),
        ("class_count", c_int32),
        ("weights", c_int32),
        ("input_type", c_int32),
        ("output", c_int32),
        ("labels_given", c_int32),
        ("normalization_given", c_int32),
        ("mean", c_float * 3),
        ("stddev", c_float * 3),
        ("input_scale", c_float),
        ("input_zero_point", c_int32),
        ("file_macs", c_int64),
    ]


class Image(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("planes", c_void_p * 3),
        ("strides", c_ssize_t * 3),
        ("format", c_int32),
        ("width", c_int32),
        ("height", c_int32),
        ("yuv_matrix", c_int32),
        ("yuv_range", c_int32),
        ("region_x", c_int32),
        ("region_y", c_int32),
        ("region_width", c_int32),
        ("region_height", c_int32),
        ("mirror", c_int32),
        ("rotation", c_int32),
        ("reserved", c_int32),
    ]


class TfliteOptions(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("library", c_char_p),
        ("delegate", c_char_p),
        ("delegate_keys", POINTER(c_char_p)),
        ("delegate_values", POINTER(c_char_p)),
        ("delegate_option_count", c_int32),
        ("required_delegated_percent", c_float),
        ("delegate_cache", c_char_p),
    ]


class SegmenterOptions(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("threads", c_int32),
        ("fit", c_int32),
        ("width", c_int32),
        ("height", c_int32),
        ("override_normalization", c_int32),
        ("mean", c_float * 3),
        ("stddev", c_float * 3),
        ("output_stride", c_int32),
        ("max_memory_bytes", c_int64),
        ("max_macs", c_int64),
        ("isa", c_char_p),
        ("thread_pool", c_void_p),
        ("allocator", c_void_p),
        ("temporal", c_float),
        ("backend", c_int32),
        ("tflite", POINTER(TfliteOptions)),
    ]


class Canvas(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("width", c_int32),
        ("height", c_int32),
        ("milliseconds", c_double),
    ]


class SegmenterInfo(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("canvas_width", c_int32),
        ("canvas_height", c_int32),
        ("scores_width", c_int32),
        ("scores_height", c_int32),
        ("class_count", c_int32),
        ("threads", c_int32),
        ("isa", c_char_p),
        ("macs", c_int64),
        ("shared_bytes", c_int64),
        ("own_bytes", c_int64),
        ("backend", c_int32),
        ("delegated", c_float),
    ]


class RunOptions(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("timeout_ms", c_int32),
        ("reserved", c_int32),
        ("should_stop", c_void_p),
        ("context", c_void_p),
    ]


class Timing(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("prepare_ms", c_double),
        ("infer_ms", c_double),
        ("labels_ms", c_double),
    ]


class StreamOptions(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("segmenter", POINTER(SegmenterOptions)),
        ("capacity", c_int32),
        ("category_mask", c_int32),
        ("mask_width", c_int32),
        ("mask_height", c_int32),
        ("confidence", c_int32),
        ("class_count", c_int32),
        ("class_ids", POINTER(c_int32)),
    ]


class FrameInfo(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("id", c_uint64),
        ("status", c_int32),
        ("width", c_int32),
        ("height", c_int32),
        ("mask_width", c_int32),
        ("mask_height", c_int32),
        ("confidence_count", c_int32),
        ("error", c_char_p),
        ("category_mask", c_void_p),
        ("confidence", c_void_p),
        ("prepare_ms", c_double),
        ("infer_ms", c_double),
        ("labels_ms", c_double),
    ]


class OverlayOptions(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("opacity", c_float),
        ("contours", c_int32),
        ("legend", c_int32),
        ("label_count", c_int32),
        ("labels", POINTER(c_char_p)),
        ("palette", c_void_p),
    ]


class PolygonOptions(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("min_area", c_int64),
        ("tolerance", c_double),
        ("background", c_int32),
        ("reserved", c_int32),
    ]


class Region(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("area", c_int64),
        ("class_id", c_int32),
        ("x", c_int32),
        ("y", c_int32),
        ("width", c_int32),
        ("height", c_int32),
        ("ring_count", c_int32),
    ]


#: The result of a function that returns a deeplab_status.
STATUS = "deeplab_status"
_OUT_HANDLE = POINTER(c_void_p)
_OUT_INT32 = POINTER(c_int32)

#: Result, then arguments. Handles, pixels and masks are c_void_p: ctypes takes an int for them.
FUNCTIONS: Dict[str, Tuple[Any, ...]] = {
    "deeplab_status_name": (c_char_p, c_int32),
    "deeplab_last_error": (c_char_p,),
    "deeplab_version": (c_char_p,),
    "deeplab_version_number": (c_int32,),
    "deeplab_isa_name": (c_char_p, c_int32),
    "deeplab_model_load_file_with_options": (STATUS, c_char_p, POINTER(ModelOptions), _OUT_HANDLE),
    "deeplab_model_options_init": (None, POINTER(ModelOptions), c_size_t),
    "deeplab_model_load_memory": (STATUS, c_void_p, c_size_t, _OUT_HANDLE),
    "deeplab_model_load_builtin": (STATUS, _OUT_HANDLE),
    "deeplab_model_free": (None, c_void_p),
    "deeplab_model_label": (c_char_p, c_void_p, c_int32),
    "deeplab_model_get_info": (STATUS, c_void_p, POINTER(ModelInfo)),
    "deeplab_image_init": (None, POINTER(Image), c_size_t),
    "deeplab_image_size": (STATUS, POINTER(Image), _OUT_INT32, _OUT_INT32),
    "deeplab_tflite_options_init": (None, POINTER(TfliteOptions), c_size_t),
    "deeplab_segmenter_options_init": (None, POINTER(SegmenterOptions), c_size_t),
    "deeplab_segmenter_create": (STATUS, c_void_p, POINTER(SegmenterOptions), _OUT_HANDLE),
    "deeplab_segmenter_free": (None, c_void_p),
    "deeplab_segmenter_get_info": (STATUS, c_void_p, POINTER(SegmenterInfo)),
    "deeplab_choose_canvas": (
        STATUS, c_void_p, POINTER(SegmenterOptions), c_int32, c_int32, c_double, POINTER(Canvas)),
    "deeplab_run_options_init": (None, POINTER(RunOptions), c_size_t),
    "deeplab_segmenter_run": (STATUS, c_void_p, POINTER(Image), POINTER(RunOptions)),
    "deeplab_segmenter_reset": (STATUS, c_void_p),
    "deeplab_segmenter_category_mask": (STATUS, c_void_p, c_int32, c_int32, c_void_p, c_ssize_t),
    "deeplab_segmenter_confidence_mask": (
        STATUS, c_void_p, _OUT_INT32, c_int32, c_int32, c_int32, c_void_p, c_ssize_t),
    "deeplab_segmenter_all_confidences": (
        STATUS, c_void_p, c_int32, c_int32, c_int32, c_int32, c_void_p, c_ssize_t, c_ssize_t),
    "deeplab_segmenter_certainty_mask": (STATUS, c_void_p, c_int32, c_int32, c_void_p, c_ssize_t),
    "deeplab_segmenter_scores": (STATUS, c_void_p, POINTER(c_void_p), _OUT_INT32, _OUT_INT32, _OUT_INT32),
    "deeplab_segmenter_timing": (STATUS, c_void_p, POINTER(Timing)),
    "deeplab_stream_options_init": (None, POINTER(StreamOptions), c_size_t),
    "deeplab_stream_create": (STATUS, c_void_p, POINTER(StreamOptions), _OUT_HANDLE),
    "deeplab_stream_push": (STATUS, c_void_p, POINTER(Image), c_uint64, c_int32),
    "deeplab_stream_pull": (STATUS, c_void_p, _OUT_HANDLE, c_int32),
    "deeplab_frame_get_info": (STATUS, c_void_p, POINTER(FrameInfo)),
    "deeplab_frame_free": (None, c_void_p),
    "deeplab_stream_flush": (None, c_void_p),
    "deeplab_stream_finish": (None, c_void_p),
    "deeplab_stream_cancel": (None, c_void_p),
    "deeplab_stream_free": (None, c_void_p),
    "deeplab_palette": (STATUS, c_char_p, c_void_p),
    "deeplab_colorize": (STATUS, c_void_p, c_int32, c_int32, c_ssize_t, c_void_p, c_void_p, c_ssize_t),
    "deeplab_count_pixels": (STATUS, c_void_p, c_int32, c_int32, c_ssize_t, c_void_p),
    "deeplab_overlay_options_init": (None, POINTER(OverlayOptions), c_size_t),
    "deeplab_draw_overlay": (
        STATUS, POINTER(Image), c_void_p, c_ssize_t, POINTER(OverlayOptions), c_void_p, c_ssize_t),
    "deeplab_cut_out": (STATUS, POINTER(Image), c_void_p, c_ssize_t, c_void_p, c_ssize_t),
    "deeplab_blur_background": (STATUS, POINTER(Image), c_void_p, c_ssize_t, c_int32, c_void_p, c_ssize_t),
    "deeplab_polygon_options_init": (None, POINTER(PolygonOptions), c_size_t),
    "deeplab_polygons_trace": (
        STATUS, c_void_p, c_int32, c_int32, c_ssize_t, POINTER(PolygonOptions), _OUT_HANDLE),
    "deeplab_polygons_count": (c_int32, c_void_p),
    "deeplab_polygons_region": (STATUS, c_void_p, c_int32, POINTER(Region)),
    "deeplab_polygons_ring": (STATUS, c_void_p, c_int32, c_int32, POINTER(c_void_p), _OUT_INT32),
    "deeplab_polygons_free": (None, c_void_p),
}


def _raise_errors(status: int, function: Any, arguments: Any) -> int:
    if status:
        raise error_of(status, text(library.deeplab_last_error()))
    return status


def _load() -> ctypes.CDLL:
    """The library of the wheel, or, if the package came without one, the system's."""
    beside = pathlib.Path(__file__).with_name("libdeeplab.so")
    wanted = "libdeeplab.so.{}.{}".format(*VERSION)
    try:
        loaded = ctypes.CDLL(str(beside) if beside.exists() else wanted)
    except OSError as error:
        raise ImportError(f"deeplab: cannot load the library that its wheel has: {error}") from error
    for name, (result, *arguments) in FUNCTIONS.items():
        function = getattr(loaded, name)
        function.argtypes = arguments
        function.restype = ctypes.c_int if result == STATUS else result
        if result == STATUS:
            function.errcheck = _raise_errors
    number = loaded.deeplab_version_number()
    if (number // 1000000, number // 1000 % 1000) != VERSION:
        raise ImportError(f"deeplab: this package is for {wanted}, and the library says that it is "
                          f"{text(loaded.deeplab_version())}")
    return loaded


def text(value: Any) -> str:
    """A char* of the library as str; "" for NULL."""
    return (value or b"").decode("utf-8", "replace")


def error_of(status: int, sentence: str) -> errors.Error:
    """The exception of a deeplab_status, not raised."""
    name = text(library.deeplab_status_name(status))
    return errors.BY_STATUS.get(name, errors.InternalError)(sentence)


def integer(value: Any, name: str, bits: int = 32) -> int:
    """`value` as an int. ctypes would cut it to so many bits without a word."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}; expected an integer") from None
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise errors.InvalidArgument(f"{name} {number} does not fit into {bits} bits")
    return number


def with_defaults(struct: Any, init: str) -> Any:
    """A struct of that class as the library's init function fills it."""
    made = struct()
    getattr(library, init)(ctypes.byref(made), ctypes.sizeof(made))
    return made


def create(function: Callable[..., Any], *arguments: Any) -> int:
    """The handle that a function gives through its last argument."""
    handle = c_void_p()
    function(*arguments, ctypes.byref(handle))
    assert handle.value is not None  # or errcheck had raised
    return handle.value


class Handle:
    """A handle of the library and who frees it: close(), or the garbage collector if nobody closes it."""

    def __init__(self, pointer: int, free: Callable[[int], Any], what: str, has_threads: bool = False) -> None:
        self._pointer: Optional[int] = pointer
        self._what = what
        self._has_threads = has_threads
        self._process = os.getpid()
        self._finalizer = weakref.finalize(self, _free_in, self._process, free, pointer)
        # Threads that still run at the end of the program may use it.
        self._finalizer.atexit = False

    @property
    def pointer(self) -> int:
        """For one call. Raises InvalidState if it was closed, or if it has threads, in a process that fork() made."""
        if self._pointer is None:
            raise errors.InvalidState(f"the {self._what} is closed")
        if self._has_threads and os.getpid() != self._process:
            raise errors.InvalidState(f"the {self._what} was made by process {self._process} and fork() does not copy "
                                      f"its threads: make one in this process")
        return self._pointer

    @property
    def closed(self) -> bool:
        return self._pointer is None

    def close(self) -> None:
        """Frees it now. Nobody may be in a call that uses it. A second time does nothing."""
        self._pointer = None
        self._finalizer()


def _free_in(process: int, free: Callable[[int], Any], pointer: int) -> None:
    # A forked process has no copy of the threads that some handles wait for while they are freed.
    if os.getpid() == process:
        free(pointer)


class Memory:
    """Memory of a handle for numpy, which keeps this object, and thereby the handle, as long as an array reads it."""

    def __init__(self, handle: Any, address: int, shape: Tuple[int, ...], typestr: str) -> None:
        self._handle = handle
        self.__array_interface__ = {
            "version": 3, "data": (address, True), "shape": shape, "typestr": typestr}


library = _load()
