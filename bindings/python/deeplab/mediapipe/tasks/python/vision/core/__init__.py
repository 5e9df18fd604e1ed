"""The place of mediapipe.tasks.python.vision.core."""

from . import image_processing_options, vision_task_running_mode

__all__ = ["image_processing_options", "vision_task_running_mode"]
