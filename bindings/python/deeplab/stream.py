"""A segmenter on a thread of its own: pictures in, masks out in the same order."""

from __future__ import annotations

import ctypes
import threading
import time
from ctypes import byref
from types import TracebackType
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Tuple, Type, Union

import numpy as np
import numpy.typing as npt

from . import _c, draw, errors
from ._images import Box, ImageInput, picture_of
from .model import ClassInput, Model
from .segmentation import Result
from .segmenter import ChannelsInput, PathInput, SizeInput, segmenter_options, tflite_options, width_and_height

# A call that waits does so in slices: only between two calls Python sees Ctrl-C.
_SLICE_MS = 100


class Frame(Result):
    """A picture that has come out of a stream. Its masks are read-only and its own: it may outlive the stream."""

    def __init__(self, model: Model, info: _c.FrameInfo, handle: _c.Handle) -> None:
        shape = (info.mask_height, info.mask_width)
        self._id: int = info.id
        self._picture_size = (info.width, info.height)
        self._error: Optional[errors.Error] = None
        self._confidences: Optional[npt.NDArray[np.float32]] = None
        mask = np.empty((0, 0), np.uint8)
        if info.status != _c.Status.OK:
            self._error = _c.error_of(info.status, _c.text(info.error))
        else:
            mask = np.asarray(_c.Memory(handle, info.category_mask, shape, "|u1"))
            if info.confidence_count > 0:
                confidence = _c.Memory(handle, info.confidence, (info.confidence_count, *shape), "=f4")
                self._confidences = np.asarray(confidence)
        super().__init__(model, mask, (info.prepare_ms, info.infer_ms, info.labels_ms))

    @property
    def id(self) -> int:
        """What push() was given."""
        return self._id

    @property
    def picture_size(self) -> Tuple[int, int]:
        """Width and height, in pixels, of the picture."""
        return self._picture_size

    @property
    def error(self) -> Optional[errors.Error]:
        """Why this picture has no masks; None if it has. The masks of such a frame raise it."""
        return self._error

    @property
    def category_mask(self) -> npt.NDArray[np.uint8]:
        """HxW class ids, at the upright picture's own size unless the stream has a `mask_size`."""
        if self._error is not None:
            raise self._error
        return self._category_mask

    @property
    def confidences(self) -> npt.NDArray[np.float32]:
        """NxHxW: one mask of any class of the set, or one mask of each class, as the stream's `confidence` says."""
        if self._error is not None:
            raise self._error
        if self._confidences is None:
            raise errors.InvalidState("the stream makes no confidence masks: give it confidence=")
        return self._confidences

    def overlay(
        self, image: ImageInput, *, channels: str = "rgb", opacity: float = 0.55, contours: bool = True,
        legend: bool = True,
    ) -> npt.NDArray[np.uint8]:
        """The mask in colours over the picture, which a stream does not keep: HxWx3, R, G, B, see draw.overlay()."""
        return draw.overlay(image, self.category_mask, channels=channels, labels=self.labels,
                            palette=self._model.palette, opacity=opacity, contours=contours, legend=legend)


class Stream:
    """Pictures go in by push() and come out of pull() in the same order, while the network runs on another thread.

        with deeplab.Stream(model) as stream:
            for frame in stream.map(pictures):
                use(frame.category_mask)

    map() pushes and pulls by itself. With push() and pull(), one thread pushes and another one pulls, or iterates over
    the stream: at most `capacity` pictures are inside, pushed and not yet pulled, and push() waits if there are as
    many. One thread that pushes more than that before it pulls waits without end. Any thread may call any method;
    threads that push at the same time wait for each other, and so do those that pull. A context manager."""

    def __init__(
        self,
        model: Model,
        *,
        capacity: int = 3,
        confidence: Union[ClassInput, Iterable[ClassInput], None] = None,
        mask_size: SizeInput = None,
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
        """`capacity`: 1 to 64 pictures. `confidence`: "all" for one mask of each class, a class or several, by name or
        id, for one mask of any of these. `mask_size`: of all masks, in pixels; None: each picture's own. The rest are
        the arguments of Segmenter, and so are the errors."""
        inner = segmenter_options(
            model, threads, fit, size, mean, std, output_stride, temporal, isa, max_memory_bytes, max_macs, backend,
            tflite_options(tflite_library, delegate_library, delegate_options, delegate_cache, require_delegated))
        options = _c.with_defaults(_c.StreamOptions, "deeplab_stream_options_init")
        options.segmenter = ctypes.pointer(inner)
        options.capacity = _c.integer(capacity, "capacity")
        options.mask_width, options.mask_height = width_and_height(mask_size, "mask_size")
        if confidence == "all":
            options.confidence = _c.StreamConfidence.CONFIDENCE_ALL
        elif confidence is not None:
            ids = model.class_ids(confidence)
            options.confidence = _c.StreamConfidence.CONFIDENCE_SET
            options.class_count = len(ids)
            options.class_ids = (ctypes.c_int32 * max(len(ids), 1))(*ids)
        self._model = model
        self._pushed = 0
        self._flushes = 0
        # The library wants one thread at a time to push and one to pull; close() waits for both.
        self._pushing = threading.Lock()
        self._pulling = threading.Lock()
        pointer = _c.create(_c.library.deeplab_stream_create, model._handle.pointer, byref(options))
        self._handle = _c.Handle(pointer, _c.library.deeplab_stream_free, "stream", has_threads=True)

    @property
    def model(self) -> Model:
        return self._model

    @property
    def closed(self) -> bool:
        return self._handle.closed

    def push(
        self,
        image: ImageInput,
        id: Optional[int] = None,
        *,
        channels: str = "rgb",
        region: Optional[Box] = None,
        rotation: int = 0,
        mirror: bool = False,
        timeout: Optional[float] = None,
    ) -> None:
        """Puts a picture in, see Segmenter.segment(); its memory may be used again at once. `id`, 0 to 2^64 - 1, comes
        back with the frame; None: how many were pushed before it. `timeout`: seconds to wait for room; 0: not at all;
        None: without limit.

        Raises WouldBlock: no room in that time; StreamEnded: finished or cancelled; Cancelled: flushed meanwhile;
        and what segment() raises. The picture is then not inside, and the stream continues."""
        picture = picture_of(image, channels, region, rotation, mirror)
        number = self._pushed if id is None else id
        if not 0 <= number < 2**64:
            raise errors.InvalidArgument(f"id {number} is not in 0 to 2^64 - 1")
        self._wait(
            self._pushing, timeout,
            lambda handle, slice_ms: _c.library.deeplab_stream_push(handle, byref(picture.struct), number, slice_ms),
        )
        self._pushed += 1

    def pull(self, timeout: Optional[float] = None) -> Frame:
        """The next picture, in the order of push; `timeout` as of push().

        Raises WouldBlock: none was ready in that time; Cancelled: flushed meanwhile; StreamEnded: cancelled, or
        finished and all pictures are out. A picture that failed is a Frame with an error and ends nothing else."""
        pointer = self._wait(
            self._pulling, timeout,
            lambda handle, slice_ms: _c.create(
                lambda frame: _c.library.deeplab_stream_pull(handle, frame, slice_ms)),
        )
        handle = _c.Handle(pointer, _c.library.deeplab_frame_free, "frame")
        info = _c.FrameInfo()
        _c.library.deeplab_frame_get_info(pointer, byref(info))
        return Frame(self._model, info, handle)

    def map(self, images: Iterable[ImageInput], *, channels: str = "rgb") -> Iterator[Frame]:
        """The frames of `images`, in order, with their numbers as ids; the next image is asked for while the network
        runs. The stream is empty and open afterwards, also if the caller stops early."""
        try:
            for number, image in enumerate(images):
                while True:
                    try:
                        self.push(image, number, channels=channels, timeout=0)
                        break
                    except errors.WouldBlock:
                        yield self.pull()
            self.finish()
            yield from self
        finally:
            if not self._handle.closed:
                self.flush()

    def __iter__(self) -> "Stream":
        return self

    def __next__(self) -> Frame:
        """pull(), until the stream has ended: after finish() or cancel(), or a close() meanwhile."""
        try:
            return self.pull()
        except errors.StreamEnded:
            raise StopIteration from None

    def finish(self) -> None:
        """No more pictures: those inside still come out, then pull() raises StreamEnded."""
        _c.library.deeplab_stream_finish(self._handle.pointer)

    def flush(self) -> None:
        """Drops what is inside, and reopens a stream that is finished. A push() or pull() that waits raises
        Cancelled."""
        self._flushes += 1
        _c.library.deeplab_stream_flush(self._handle.pointer)

    def cancel(self) -> None:
        """Drops what is inside, for good: calls that wait, and all later ones, raise StreamEnded."""
        _c.library.deeplab_stream_cancel(self._handle.pointer)

    def close(self) -> None:
        """Cancels, waits until no other thread is in a call, and frees the stream. Frames stay valid. Closing twice is
        fine."""
        if self._handle.closed:
            return
        self.cancel()
        with self._pushing, self._pulling:
            self._handle.close()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def _wait(self, lock: threading.Lock, timeout: Optional[float], call: Callable[[int, int], Any]) -> Any:
        """`call(handle, milliseconds)` until it does not raise WouldBlock, or the time is over."""
        flushes = self._flushes
        pointer = self._handle.pointer
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left_ms = _SLICE_MS if end is None else min(_SLICE_MS, max(0, round((end - time.monotonic()) * 1000)))
            try:
                with lock:
                    if self._handle.closed:
                        raise errors.StreamEnded("the stream was closed meanwhile")
                    return call(pointer, left_ms)
            except errors.WouldBlock:
                if end is not None and time.monotonic() >= end:
                    raise
                if self._flushes != flushes:
                    raise errors.Cancelled("the stream was flushed meanwhile") from None
