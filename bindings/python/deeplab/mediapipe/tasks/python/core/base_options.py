"""Which model."""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass
from typing import Optional, Union


@dataclass
class BaseOptions:
    """A model file by path or by its bytes. Neither: the built-in model, where MediaPipe has an error."""

    class Delegate(enum.IntEnum):
        """What runs the network: the CPU, always. GPU is an error when the segmenter is made."""

        CPU = 0
        GPU = 1

    model_asset_path: Union[str, "os.PathLike[str]", None] = None
    model_asset_buffer: Optional[bytes] = None
    delegate: Optional[Delegate] = None
