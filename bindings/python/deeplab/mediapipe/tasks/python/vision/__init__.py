"""The place of mediapipe.tasks.python.vision."""

from . import core, image_segmenter
from .core.image_processing_options import ImageProcessingOptions
from .core.vision_task_running_mode import VisionTaskRunningMode
from .image_segmenter import ImageSegmenter, ImageSegmenterOptions, ImageSegmenterResult

RunningMode = VisionTaskRunningMode

__all__ = [
    "ImageProcessingOptions",
    "ImageSegmenter",
    "ImageSegmenterOptions",
    "ImageSegmenterResult",
    "RunningMode",
    "core",
    "image_segmenter",
]
