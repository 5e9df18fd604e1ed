"""Runs a model on pictures."""

from __future__ import annotations

import ctypes
import os
import threading
from ctypes import byref
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Mapping, Optional, Sequence, Tuple, Type, Union

import numpy as np

from . import _c, errors
from ._images import Box, ImageInput, address_of, picture_of
from .model import Model
from .segmentation import Segmentation

#: Input canvas: a side, or width and height, in pixels; None: the model's own.
SizeInput = Union[int, Tuple[int, int], None]
#: One number per channel, R, G, B, or one for all.
ChannelsInput = Union[float, Sequence[float], None]
#: A file, or a name that the system's loader searches for.
PathInput = Union[str, "os.PathLike[str]", None]


@dataclass(frozen=True)
class SegmenterInfo:
    """What a segmenter is."""

    canvas_size: Tuple[int, int]  # width and height in pixels
    scores_size: Tuple[int, int]  # of Segmentation.scores
    threads: int  # at work on one picture, the calling one included
    isa: str  # the kernel family in use, such as "avx2"; all give the same bytes
    macs: int  # multiply-accumulates of one picture
    shared_bytes: int  # packed weights, shared by all segmenters of the same plan
    own_bytes: int  # activations, scratch and scores; of TensorFlow Lite only this library's own
    backend: str  # "engine" or "tflite"
    delegated: float  # share of the multiply-accumulates that TensorFlow Lite's delegate took, 0 to 1


class Segmenter:
    """Runs a model on one picture after another, and owns all memory that this takes.

    Use one per thread: N threads with N segmenters of `threads=1` run in parallel, since the interpreter lock is free
    while the network runs. Threads that share one are safe, and wait for each other. A context manager; without
    close() the memory goes with the last reference."""

    def __init__(
        self,
        model: Model,
        *,
        threads: int = 0,
        fit: str = "pad",
        size: SizeInput = None,
        mean: ChannelsInput = None,
        std: ChannelsInput = None,
        output_stride: int = 0,
        temporal: float = 0.0,
        isa: Optional[str] = None,
        max_memory_bytes: int = 0,
        max_macs: int = 0,
        backend: str = "engine",
        tflite_library: PathInput = None,
        delegate_library: PathInput = None,
        delegate_options: Optional[Mapping[str, str]] = None,
        delegate_cache: PathInput = None,
        require_delegated: float = 0.0,
    ) -> None:
        """Plans the network for its canvas.

        `threads`: at work on one picture, the calling one included; 0: one per CPU. `fit`, how a picture is laid onto
        the canvas: "pad" (TensorFlow's evaluation: top left, shrunk only if too large), "letterbox" (scaled to fit,
        centred) or "stretch" (scaled to fill, aspect lost). `size`: the canvas. `mean` and `std`, together: instead of
        the file's; tensor value = (pixel - mean) / std. `output_stride`: input pixels per cell of the coarsest feature
        map; the file's own times 2, 4, ...: faster and less accurate. `temporal`, 0 to below 1: the weight of the
        scores of the pictures before, for less flicker in a video; see reset(). `isa`: a kernel family of
        deeplab.isa_names(). `max_memory_bytes`, `max_macs`: what one picture may cost at most; 0: 2^30 bytes and 2^40
        multiply-accumulates.

        `backend`: "engine", this library's kernels, or "tflite", TensorFlow Lite's C library, opened at run time. Of
        "tflite": `tflite_library`, a file or a name that the loader searches for; None: libtensorflowlite_c.so, then
        libtensorflow-lite.so. `delegate_library`: an accelerator's plugin, likewise, or "xnnpack" for the one inside
        TensorFlow Lite; `delegate_options`: its options by its own names. `delegate_cache`: a folder in which it keeps
        what it has compiled. `require_delegated`: per cent of the multiply-accumulates that it has to take at least.
        Both libraries are code that runs in this process, and stay loaded until it ends.

        Raises InvalidArgument, Unsupported, ResourceExhausted, and IoError for a library that cannot be opened."""
        options = segmenter_options(
            model, threads, fit, size, mean, std, output_stride, temporal, isa, max_memory_bytes, max_macs, backend,
            tflite_options(tflite_library, delegate_library, delegate_options, delegate_cache, require_delegated))
        self._model = model
        self._lock = threading.Lock()
        self._stages = _c.Timing()
        self._runs = 0  # pictures so far: which one the library's getters refer to
        pointer = _c.create(_c.library.deeplab_segmenter_create, model._handle.pointer, byref(options))
        self._handle = _c.Handle(pointer, _c.library.deeplab_segmenter_free, "segmenter", has_threads=True)

    @property
    def model(self) -> Model:
        return self._model

    @property
    def closed(self) -> bool:
        return self._handle.closed

    @property
    def info(self) -> SegmenterInfo:
        info = _c.SegmenterInfo()
        with self._lock:
            _c.library.deeplab_segmenter_get_info(self._handle.pointer, byref(info))
        return SegmenterInfo(
            canvas_size=(info.canvas_width, info.canvas_height),
            scores_size=(info.scores_width, info.scores_height),
            threads=info.threads,
            isa=_c.text(info.isa),
            macs=info.macs,
            shared_bytes=info.shared_bytes,
            own_bytes=info.own_bytes,
            backend=_c.Backend(info.backend).name[len("BACKEND_") :].lower(),
            delegated=info.delegated,
        )

    def segment(
        self,
        image: ImageInput,
        *,
        channels: str = "rgb",
        region: Optional[Box] = None,
        rotation: int = 0,
        mirror: bool = False,
        timeout: Optional[float] = None,
    ) -> Segmentation:
        """Runs the network on one picture.

        `image`: a uint8 array, HxWx3, HxWx4 (alpha is ignored) or HxW (grey), 1 to 65535 pixels per side, any strides,
        read in place unless the bytes of a pixel or the pixels of a row lie apart; or a PIL image. `channels`: "rgb" or
        "bgr" (OpenCV). `region`: x, y, width, height of the part to look at. `mirror`: left and right exchanged;
        then `rotation`: clockwise, 0, 90, 180 or 270, that makes the picture upright. The mask is that of the upright
        picture. EXIF is not looked at: see PIL.ImageOps.exif_transpose(). `timeout`: seconds.

        Raises TypeError for pixels that are not 8-bit, InvalidArgument, DeadlineExceeded, ResourceExhausted, and
        InvalidState after close(). The segmenter stays usable after an error."""
        picture = picture_of(image, channels, region, rotation, mirror)
        mask = np.empty((picture.height, picture.width), np.uint8)
        address = address_of(mask)
        options = None if timeout is None else byref(_run_options(timeout))
        stages = self._stages
        with self._lock:
            handle = self._handle.pointer
            self._runs = run = self._runs + 1
            _c.library.deeplab_segmenter_run(handle, byref(picture.struct), options)
            _c.library.deeplab_segmenter_category_mask(handle, picture.width, picture.height, address, picture.width)
            _c.library.deeplab_segmenter_timing(handle, byref(stages))
            timing = (stages.prepare_ms, stages.infer_ms, stages.labels_ms)
        return Segmentation(self, run, picture, mask, timing)

    def reset(self) -> None:
        """The next picture starts a sequence: for `temporal`, nothing comes before it."""
        with self._lock:
            _c.library.deeplab_segmenter_reset(self._handle.pointer)

    def close(self) -> None:
        """Frees the memory, after a call that another thread may be in. Closing twice is fine."""
        with self._lock:
            self._handle.close()

    def __enter__(self) -> "Segmenter":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()


def choose_canvas(
    model: Model,
    picture_size: Tuple[int, int],
    frames_per_second: float,
    *,
    threads: int = 0,
    fit: str = "pad",
    output_stride: int = 0,
    isa: Optional[str] = None,
    backend: str = "engine",
    tflite_library: PathInput = None,
    delegate_library: PathInput = None,
    delegate_options: Optional[Mapping[str, str]] = None,
) -> Tuple[int, int]:
    """The `size` of the largest canvas on which this machine segments pictures of `picture_size` (width, height) as
    often as that per second. Measured now, by some dozens of runs; leave room for what else a frame costs. The other
    arguments are those of Segmenter.

    Raises ResourceExhausted if no canvas is fast enough, and what Segmenter raises."""
    options = segmenter_options(model, threads, fit, None, None, None, output_stride, 0.0, isa, 0, 0, backend,
                                tflite_options(tflite_library, delegate_library, delegate_options))
    width, height = width_and_height(picture_size, "picture_size")
    canvas = _c.Canvas()
    _c.library.deeplab_choose_canvas(
        model._handle.pointer, byref(options), width, height, frames_per_second, byref(canvas))
    return canvas.width, canvas.height


def segmenter_options(
    model: Model,
    threads: int,
    fit: str,
    size: SizeInput,
    mean: ChannelsInput,
    std: ChannelsInput,
    output_stride: int,
    temporal: float,
    isa: Optional[str],
    max_memory_bytes: int,
    max_macs: int,
    backend: str,
    tflite: Optional[_c.TfliteOptions],
) -> Any:
    """The struct of Segmenter's and Stream's arguments."""
    if not isinstance(model, Model):
        raise TypeError(f"the model is of type {type(model).__name__}; expected a deeplab.Model")
    options = _c.with_defaults(_c.SegmenterOptions, "deeplab_segmenter_options_init")
    options.threads = _c.integer(threads, "threads")
    fits = {value.name[len("FIT_") :].lower(): value for value in _c.Fit}
    if fit not in fits:
        raise errors.InvalidArgument(f"fit is {fit!r}; expected one of {', '.join(fits)}")
    options.fit = fits[fit]
    options.width, options.height = width_and_height(size, "size")
    if (mean is None) != (std is None):
        raise errors.InvalidArgument("mean and std go together")
    if mean is not None and std is not None:
        options.override_normalization = 1
        options.mean[:] = _per_channel(mean, "mean")
        options.stddev[:] = _per_channel(std, "std")
    options.output_stride = _c.integer(output_stride, "output_stride")
    options.temporal = temporal
    options.max_memory_bytes = _c.integer(max_memory_bytes, "max_memory_bytes", 64)
    options.max_macs = _c.integer(max_macs, "max_macs", 64)
    options.isa = None if isa is None else isa.encode()
    backends = {value.name[len("BACKEND_") :].lower(): value for value in _c.Backend}
    if backend not in backends:
        raise errors.InvalidArgument(f"backend is {backend!r}; expected one of {', '.join(backends)}")
    options.backend = backends[backend]
    if tflite is not None:
        if options.backend != _c.Backend.BACKEND_TFLITE:
            raise errors.InvalidArgument("libraries of TensorFlow Lite and its delegate go with backend='tflite'")
        options.tflite = ctypes.pointer(tflite)
    return options


def tflite_options(
    library: PathInput,
    delegate: PathInput,
    delegate_options: Optional[Mapping[str, str]],
    delegate_cache: PathInput = None,
    require_delegated: float = 0.0,
) -> Optional[_c.TfliteOptions]:
    """The struct of these arguments; None if none is given."""
    if library is delegate is delegate_cache is None and not delegate_options and require_delegated == 0:
        return None
    options: _c.TfliteOptions = _c.with_defaults(_c.TfliteOptions, "deeplab_tflite_options_init")
    options.library = _path(library, "tflite_library")
    options.delegate = _path(delegate, "delegate_library")
    options.delegate_cache = _path(delegate_cache, "delegate_cache")
    items = dict(delegate_options or {})
    names = ctypes.c_char_p * max(len(items), 1)
    options.delegate_option_count = len(items)
    options.delegate_keys = names(*[_text(key, "a key of delegate_options") for key in items])
    options.delegate_values = names(*[_text(value, f"delegate_options[{key!r}]") for key, value in items.items()])
    options.required_delegated_percent = require_delegated
    return options


def _path(path: PathInput, name: str) -> Optional[bytes]:
    return None if path is None else _text(os.fspath(path), name)


def _text(value: object, name: str) -> bytes:
    """For a char*, which ends at its first zero byte."""
    if not isinstance(value, str):
        raise TypeError(f"{name} is {value!r}; expected a str")
    if "\0" in value:
        raise errors.InvalidArgument(f"{name} has a zero byte")
    return os.fsencode(value)


def width_and_height(size: SizeInput, name: str) -> Tuple[int, int]:
    """0, 0 for None, which is the library's sign for: its own choice."""
    if size is None:
        return 0, 0
    sides = size if isinstance(size, (tuple, list)) else (size, size)
    if len(sides) != 2:
        raise errors.InvalidArgument(f"{name} is {size!r}; expected a number, or width and height")
    width, height = _c.integer(sides[0], name), _c.integer(sides[1], name)
    if width <= 0 or height <= 0:
        raise errors.InvalidArgument(f"{name} {width}x{height} is not positive")
    return width, height


def _per_channel(values: Any, name: str) -> Sequence[float]:
    numbers = np.broadcast_to(np.asarray(values, np.float64), 3) if np.size(values) in (1, 3) else None
    if numbers is None:
        raise errors.InvalidArgument(f"{name} has {np.size(values)} numbers; expected 1 or 3")
    return [float(number) for number in numbers]


def _run_options(timeout: float) -> _c.RunOptions:
    """At least 1 ms, since 0 means to the library: no limit."""
    options: _c.RunOptions = _c.with_defaults(_c.RunOptions, "deeplab_run_options_init")
    if not timeout > 0:
        raise errors.InvalidArgument(f"timeout is {timeout} seconds; expected more than 0, or None")
    options.timeout_ms = int(min(max(timeout * 1000, 1), 2**31 - 1))
    return options
