"""Semantic segmentation of photos on the CPU: DeepLabV3-MobileNetV2 by deeplab.cpp.

    import deeplab
    segmenter = deeplab.Segmenter(deeplab.Model())
    result = segmenter.segment(photo)       # HxWx3 uint8 array or PIL image
    result.fractions                        # {"background": 0.71, "cat": 0.29}
    result.category_mask                    # HxW uint8

`Model`, `Segmenter`, `Segmentation` and `Stream` are the whole of it; `deeplab.draw` works on masks from anywhere, and
`deeplab.mediapipe` has the names of MediaPipe's ImageSegmenter.
"""

from __future__ import annotations

import itertools
from typing import Tuple

from . import _c, draw, png
from ._images import ImageInput
from .draw import Region
from .errors import (
    Cancelled,
    DeadlineExceeded,
    Error,
    InternalError,
    InvalidArgument,
    InvalidImage,
    InvalidModel,
    InvalidState,
    IoError,
    NoSuchFile,
    ResourceExhausted,
    StreamEnded,
    Unsupported,
    WouldBlock,
)
from .model import Model, ModelInfo
from .segmentation import Segmentation, Timing
from .segmenter import Segmenter, SegmenterInfo, choose_canvas
from .stream import Frame, Stream

__version__ = _c.text(_c.library.deeplab_version())


def isa_names() -> Tuple[str, ...]:
    """The kernel families that this build has and this CPU runs, slowest first. All give the same bytes."""
    names = (_c.text(_c.library.deeplab_isa_name(index)) for index in itertools.count())
    return tuple(itertools.takewhile(bool, names))


__all__ = [
    "Cancelled",
    "DeadlineExceeded",
    "Error",
    "Frame",
    "ImageInput",
    "InternalError",
    "InvalidArgument",
    "InvalidImage",
    "InvalidModel",
    "InvalidState",
    "IoError",
    "Model",
    "ModelInfo",
    "NoSuchFile",
    "Region",
    "ResourceExhausted",
    "Segmentation",
    "Segmenter",
    "SegmenterInfo",
    "Stream",
    "StreamEnded",
    "Timing",
    "Unsupported",
    "WouldBlock",
    "choose_canvas",
    "draw",
    "isa_names",
    "png",
]
