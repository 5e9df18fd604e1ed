"""MediaPipe's names for its ImageSegmenter, over this library: `import deeplab.mediapipe as mp` instead of
`import mediapipe as mp`, and `from deeplab.mediapipe.tasks.python import vision` likewise.

Here are the parts of MediaPipe that a program for its ImageSegmenter uses, and no others. What differs is listed in
bindings/python/README.md of deeplab.cpp.
"""

from deeplab.mediapipe.image import Image, ImageFormat

# In MediaPipe, too, mp.tasks is what `from mediapipe.tasks import python` gives.
from deeplab.mediapipe.tasks import python as tasks

__all__ = ["Image", "ImageFormat", "tasks"]
