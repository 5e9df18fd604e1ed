"""The place of mediapipe.tasks.python, which is also mp.tasks."""

from . import core, vision
from .core.base_options import BaseOptions

__all__ = ["BaseOptions", "core", "vision"]
