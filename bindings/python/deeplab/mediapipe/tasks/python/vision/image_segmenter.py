"""MediaPipe's ImageSegmenter."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Callable, Dict, List, Optional, Tuple, Type, Union

import numpy as np
import numpy.typing as npt

import deeplab
from deeplab.mediapipe.image import Image, ImageFormat

from ..core.base_options import BaseOptions
from .core.image_processing_options import ImageProcessingOptions
from .core.vision_task_running_mode import VisionTaskRunningMode

_log = logging.getLogger(__name__)


@dataclass
class ImageSegmenterResult:
    """Masks of the picture's size. `confidence_masks`: one VEC32F1 image per class, 0 to 1. `category_mask`: GRAY8, the
    class of each pixel. Each is None unless the options ask for it. They own their memory."""

    confidence_masks: Optional[List[Image]] = None
    category_mask: Optional[Image] = None


ResultCallback = Callable[[ImageSegmenterResult, Image, int], None]


@dataclass
class ImageSegmenterOptions:
    """`result_callback`: only in LIVE_STREAM, and needed there; called with result, picture and time stamp on a thread
    of the segmenter. `num_threads`: not in MediaPipe; 0: one per CPU."""

    base_options: BaseOptions
    running_mode: VisionTaskRunningMode = VisionTaskRunningMode.IMAGE
    display_names_locale: Optional[str] = None
    output_confidence_masks: bool = True
    output_category_mask: bool = False
    result_callback: Optional[ResultCallback] = None
    num_threads: int = 0


class ImageSegmenter:
    """Segments single pictures, frames of a video, or live pictures. The mode is chosen when it is made, and each mode
    has one method. As in MediaPipe, pictures are stretched onto the model's canvas. Any thread may call it; a context
    manager. Exceptions are those of `deeplab`; misuse is a ValueError."""

    def __init__(self, options: ImageSegmenterOptions) -> None:
        mode = options.running_mode
        if (mode is VisionTaskRunningMode.LIVE_STREAM) != (options.result_callback is not None):
            raise ValueError("result_callback goes with the running mode LIVE_STREAM, and LIVE_STREAM with it")
        if options.base_options.delegate == BaseOptions.Delegate.GPU:
            raise deeplab.Unsupported("delegate GPU: there is only the CPU")
        source = options.base_options.model_asset_path
        model = deeplab.Model(options.base_options.model_asset_buffer if source is None else source)
        self._options = options
        self._last_timestamp: Optional[int] = None
        self._lock = threading.Lock()
        self._segmenter: Optional[deeplab.Segmenter] = None
        self._live: Optional[_Live] = None
        self._labels = list(model.labels)
        if options.result_callback is not None:
            self._live = _Live(model, options, options.result_callback)
        else:
            self._segmenter = deeplab.Segmenter(model, threads=options.num_threads, fit="stretch")

    @classmethod
    def create_from_model_path(cls, model_path: Union[str, "os.PathLike[str]"]) -> "ImageSegmenter":
        """In the mode IMAGE, with confidence masks."""
        return cls.create_from_options(ImageSegmenterOptions(BaseOptions(model_asset_path=model_path)))

    @classmethod
    def create_from_options(cls, options: ImageSegmenterOptions) -> "ImageSegmenter":
        """Raises what deeplab.Model and deeplab.Segmenter raise."""
        return cls(options)

    @property
    def labels(self) -> List[str]:
        """Names by class id."""
        return list(self._labels)

    def segment(
        self, image: Image, image_processing_options: Optional[ImageProcessingOptions] = None
    ) -> ImageSegmenterResult:
        """One picture, in the mode IMAGE."""
        self._expect(VisionTaskRunningMode.IMAGE)
        return self._segment(image, image_processing_options)

    def segment_for_video(
        self,
        image: Image,
        timestamp_ms: int,
        image_processing_options: Optional[ImageProcessingOptions] = None,
    ) -> ImageSegmenterResult:
        """The next frame, in the mode VIDEO. Time stamps must rise."""
        self._expect(VisionTaskRunningMode.VIDEO)
        self._advance(timestamp_ms)
        return self._segment(image, image_processing_options)

    def segment_async(
        self,
        image: Image,
        timestamp_ms: int,
        image_processing_options: Optional[ImageProcessingOptions] = None,
    ) -> None:
        """The next live picture, in the mode LIVE_STREAM. Returns at once: the callback gets the result, in order. A
        picture that comes while two are in progress is dropped. Time stamps must rise."""
        self._expect(VisionTaskRunningMode.LIVE_STREAM)
        self._advance(timestamp_ms)
        assert self._live is not None  # by the mode
        self._live.push(image, timestamp_ms, _rotation(image_processing_options))

    def close(self) -> None:
        """Waits for the pictures in progress, whose results still go to the callback."""
        if self._segmenter is not None:
            self._segmenter.close()
        if self._live is not None:
            self._live.close()

    def __enter__(self) -> "ImageSegmenter":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def _expect(self, mode: VisionTaskRunningMode) -> None:
        if self._options.running_mode is not mode:
            raise ValueError(f"this method is for the running mode {mode.name}; this segmenter was made for "
                             f"{self._options.running_mode.name}")

    def _advance(self, timestamp_ms: int) -> None:
        with self._lock:
            if self._last_timestamp is not None and timestamp_ms <= self._last_timestamp:
                raise ValueError(f"time stamp {timestamp_ms} does not come after {self._last_timestamp}")
            self._last_timestamp = timestamp_ms

    def _segment(self, image: Image, given: Optional[ImageProcessingOptions]) -> ImageSegmenterResult:
        assert self._segmenter is not None  # by the mode
        with self._lock:  # confidence masks are those of the last picture
            result = self._segmenter.segment(image.numpy_view(), rotation=_rotation(given))
            confidences = result.confidence_masks() if self._options.output_confidence_masks else None
        return _result(self._options, result.category_mask, confidences)


class _Live:
    """A stream and the thread that hands its frames to the callback."""

    def __init__(self, model: deeplab.Model, options: ImageSegmenterOptions, callback: ResultCallback) -> None:
        self._options = options
        self._callback = callback
        self._stream = deeplab.Stream(model, capacity=2, threads=options.num_threads, fit="stretch",
                                      confidence="all" if options.output_confidence_masks else None)
        self._pictures: Dict[int, Tuple[Image, int]] = {}
        self._pushed = 0
        self._pushing = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="deeplab live stream", daemon=True)
        self._thread.start()

    def push(self, image: Image, timestamp_ms: int, rotation: int) -> None:
        with self._pushing:
            number = self._pushed
            self._pictures[number] = (image, timestamp_ms)
            try:
                self._stream.push(image.numpy_view(), number, rotation=rotation, timeout=0)
            except deeplab.WouldBlock:
                del self._pictures[number]  # dropped
            except BaseException:
                del self._pictures[number]
                raise
            else:
                self._pushed += 1

    def close(self) -> None:
        if self._stream.closed:
            return
        self._stream.finish()
        if threading.current_thread() is not self._thread:
            self._thread.join()
            self._stream.close()

    def _work(self) -> None:
        for frame in self._stream:
            image, timestamp_ms = self._pictures.pop(frame.id)
            try:
                confidences = frame.confidences if self._options.output_confidence_masks else None
                self._callback(_result(self._options, frame.category_mask, confidences), image, timestamp_ms)
            except Exception:  # a callback's fault must not end the stream, and has no caller to go to
                _log.exception("the picture with time stamp %s", timestamp_ms)


def _rotation(given: Optional[ImageProcessingOptions]) -> int:
    if given is None:
        return 0
    if given.region_of_interest is not None:
        raise ValueError("an ImageSegmenter takes no region of interest")
    if given.rotation_degrees % 90 != 0:
        raise ValueError(f"rotation_degrees {given.rotation_degrees} is not a multiple of 90")
    return given.rotation_degrees % 360


def _result(
    options: ImageSegmenterOptions, category: npt.NDArray[np.uint8], confidences: Optional[npt.NDArray[np.float32]]
) -> ImageSegmenterResult:
    result = ImageSegmenterResult()
    if options.output_category_mask:
        result.category_mask = Image._adopt(ImageFormat.GRAY8, category)
    if confidences is not None:
        result.confidence_masks = [Image._adopt(ImageFormat.VEC32F1, mask) for mask in confidences]
    return result
