"""What is done with a picture first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional


@dataclass
class ImageProcessingOptions:
    """`rotation_degrees`: clockwise, a multiple of 90, makes the picture upright; masks are those of the upright
    picture. `region_of_interest`: an ImageSegmenter takes none."""

    region_of_interest: Optional[Any] = None
    rotation_degrees: int = 0
