"""MediaPipe's Image: pixels or a mask, immutable."""

from __future__ import annotations

import enum
import os
from typing import Any, Tuple, Union

import numpy as np
import numpy.typing as npt


class ImageFormat(enum.IntEnum):
    """What the numbers of a pixel mean."""

    UNKNOWN = 0
    SRGB = 1
    SRGBA = 2
    GRAY8 = 3
    GRAY16 = 4
    SRGB48 = 7
    SRGBA64 = 8
    VEC32F1 = 9
    VEC32F2 = 12


_LAYOUTS = {
    ImageFormat.SRGB: (np.uint8, 3),
    ImageFormat.SRGBA: (np.uint8, 4),
    ImageFormat.GRAY8: (np.uint8, 1),
    ImageFormat.GRAY16: (np.uint16, 1),
    ImageFormat.SRGB48: (np.uint16, 3),
    ImageFormat.SRGBA64: (np.uint16, 4),
    ImageFormat.VEC32F1: (np.float32, 1),
    ImageFormat.VEC32F2: (np.float32, 2),
}


class Image:
    """Owns its pixels, which do not change: views of them are read-only and stay valid without it."""

    def __init__(self, image_format: ImageFormat, data: npt.NDArray[Any]) -> None:
        """Copies `data`: HxW or HxWxC, of the type and number of channels that the format says; else ValueError."""
        dtype, channels = _LAYOUTS.get(image_format, (None, 0))
        if dtype is None:
            raise ValueError(f"unknown image format {image_format!r}")
        array = np.array(data)
        if array.ndim == 3 and array.shape[2] == 1:
            array = array[:, :, 0]
        if array.dtype != dtype or array.ndim not in (2, 3) or (array.shape[2] if array.ndim == 3 else 1) != channels:
            raise ValueError(f"{ImageFormat(image_format).name} pixels are {np.dtype(dtype)} with {channels} channels, "
                             f"not {array.dtype} of shape {array.shape}")
        self._format = ImageFormat(image_format)
        self._array = array
        self._array.flags.writeable = False

    @classmethod
    def create_from_file(cls, file_name: Union[str, "os.PathLike[str]"]) -> "Image":
        """The pixels of an image file, as stored: EXIF orientation is ignored. Needs Pillow."""
        import PIL.Image

        with PIL.Image.open(file_name) as image:
            if image.mode == "L":
                return cls(ImageFormat.GRAY8, np.asarray(image))
            has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
            mode, image_format = ("RGBA", ImageFormat.SRGBA) if has_alpha else ("RGB", ImageFormat.SRGB)
            return cls(image_format, np.asarray(image.convert(mode)))

    @classmethod
    def _adopt(cls, image_format: ImageFormat, array: npt.NDArray[Any]) -> "Image":
        """An image of an array that nobody else changes, without a copy."""
        image = cls.__new__(cls)
        image._format = image_format
        image._array = array.view()
        image._array.flags.writeable = False
        return image

    @property
    def width(self) -> int:
        return self._array.shape[1]

    @property
    def height(self) -> int:
        return self._array.shape[0]

    @property
    def channels(self) -> int:
        return _LAYOUTS[self._format][1]

    @property
    def step(self) -> int:
        """Bytes from one row to the next."""
        return self._array.strides[0]

    @property
    def image_format(self) -> ImageFormat:
        return self._format

    def numpy_view(self) -> npt.NDArray[Any]:
        """HxWxC, or HxW for one channel; read-only, without a copy."""
        return self._array

    def is_contiguous(self) -> bool:
        return bool(self._array.flags.c_contiguous)

    def is_empty(self) -> bool:
        return self._array.size == 0

    def uses_gpu(self) -> bool:
        return False

    def __getitem__(self, key: Tuple[int, ...]) -> Any:
        """The value at row, column and, if there are several, channel."""
        return self._array[key].item()
