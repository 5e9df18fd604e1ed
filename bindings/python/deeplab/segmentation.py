"""What comes out: masks, and what they say."""

from __future__ import annotations

import ctypes
from ctypes import byref
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple, Union

import numpy as np
import numpy.typing as npt

from . import _c, draw, errors, png
from ._images import ImageInput, Picture, address_of
from .model import ClassInput, Model

if TYPE_CHECKING:
    from .segmenter import Segmenter


class Timing(NamedTuple):
    """Wall time of a picture's stages, in milliseconds."""

    prepare_ms: float  # pixels -> input tensor
    infer_ms: float  # input tensor -> scores
    labels_ms: float  # scores -> masks


class Result:
    """A category mask and what follows from it. Its data is its own: it may outlive segmenter, stream and model."""

    _fractions: Optional[Dict[str, float]] = None

    def __init__(
        self, model: Model, category_mask: npt.NDArray[np.uint8], timing: Tuple[float, float, float]
    ) -> None:
        self._model = model
        self._category_mask = category_mask
        self._timing = timing

    @property
    def category_mask(self) -> npt.NDArray[np.uint8]:
        """HxW class ids, at the upright picture's own size unless another was asked for."""
        return self._category_mask

    @property
    def width(self) -> int:
        """Of the mask, in pixels."""
        return self.category_mask.shape[1]

    @property
    def height(self) -> int:
        """Of the mask, in pixels."""
        return self.category_mask.shape[0]

    @property
    def labels(self) -> Tuple[str, ...]:
        """Names by class id."""
        return self._model.labels

    @property
    def timing(self) -> Timing:
        return Timing(*self._timing)

    @property
    def fractions(self) -> Dict[str, float]:
        """The share of pixels, 0 to 1, of each class in the mask, background included, the largest first."""
        if self._fractions is None:
            pixels = draw.count_pixels(self.category_mask)
            found = sorted(np.flatnonzero(pixels), key=lambda class_id: -int(pixels[class_id]))
            self._fractions = {}
            for class_id in found:  # several classes may have one name
                label = self.labels[class_id]
                self._fractions[label] = self._fractions.get(label, 0.0) + float(pixels[class_id]) / pixels.sum()
        return dict(self._fractions)

    def polygons(self, *, min_area: int = 1, tolerance: float = 0.0, background: bool = False) -> List[draw.Region]:
        """The mask's regions as outlines, see draw.polygons()."""
        return draw.polygons(self.category_mask, labels=self.labels, min_area=min_area, tolerance=tolerance,
                             background=background)

    def colorized(self) -> npt.NDArray[np.uint8]:
        """The mask in the model's colours: HxWx3, R, G, B."""
        return draw.colorize(self.category_mask, self._model.palette)

    def mask_png(self) -> bytes:
        """The mask as an indexed PNG file with the model's palette."""
        return png.encode(self.category_mask, self._model.palette)


class Segmentation(Result):
    """What Segmenter.segment() gives.

    The category mask and all that is made from it are its own. Scores and confidence masks are made by the segmenter,
    which knows its last picture only: ask for them before its next segment() or close(); later they raise InvalidState.
    What was handed out stays valid. The picture's memory is kept, not copied: overlay() and cutout() show what it
    holds when they are called. Any thread."""

    _scores: Optional[npt.NDArray[np.float32]] = None

    def __init__(
        self,
        segmenter: "Segmenter",
        run: int,
        picture: Picture,
        mask: npt.NDArray[np.uint8],
        timing: Tuple[float, float, float],
    ) -> None:
        super().__init__(segmenter.model, mask, timing)
        self._segmenter = segmenter
        self._run = run
        self._picture = picture

    def confidence_mask(self, classes: Union[ClassInput, Iterable[ClassInput]]) -> npt.NDArray[np.float32]:
        """HxW: the probability, 0 to 1, that a pixel is of a class, or of any of several; each by name or by id."""
        ids = self._model.class_ids(classes)
        mask = np.empty((self.height, self.width), np.float32)
        self._ask(lambda handle: _c.library.deeplab_segmenter_confidence_mask(
            handle, (ctypes.c_int32 * max(len(ids), 1))(*ids), len(ids), self.width, self.height, address_of(mask),
            mask.strides[0]))
        return mask

    def confidence_masks(self) -> npt.NDArray[np.float32]:
        """CxHxW: the probability of every class, at the cost of one. 22 MB for 513x513 pixels and 21 classes."""
        masks = np.empty((len(self.labels), self.height, self.width), np.float32)
        self._ask(lambda handle: _c.library.deeplab_segmenter_all_confidences(
            handle, self.width, self.height, 0, self.height, address_of(masks), masks.strides[1],
            masks.strides[0]))
        return masks

    def certainty_mask(self) -> npt.NDArray[np.float32]:
        """HxW: the probability of each pixel's most probable class."""
        mask = np.empty((self.height, self.width), np.float32)
        self._ask(lambda handle: _c.library.deeplab_segmenter_certainty_mask(
            handle, self.width, self.height, address_of(mask), mask.strides[0]))
        return mask

    @property
    def scores(self) -> npt.NDArray[np.float32]:
        """The network's own scores (logits, no softmax), before any interpolation: height x width x classes of its
        coarse grid over the whole canvas, padding included. A copy, made the first time."""
        if self._scores is None:
            self._scores = self._ask(self._copy_scores)
        return self._scores

    def overlay(
        self, *, opacity: float = 0.55, contours: bool = True, legend: bool = True
    ) -> npt.NDArray[np.uint8]:
        """The mask in colours over the picture: HxWx3, R, G, B, see draw.overlay()."""
        return draw.overlay(self._picture, self._category_mask, labels=self.labels, palette=self._model.palette,
                            opacity=opacity, contours=contours, legend=legend)

    def cutout(self, classes: Union[ClassInput, Iterable[ClassInput]]) -> npt.NDArray[np.uint8]:
        """The picture's pixels of a class, or of several, with soft edges: HxWx4, R, G, B, A."""
        return draw.cut_out(self._picture, self.confidence_mask(classes))

    def _repr_png_(self) -> bytes:
        """The overlay, for notebooks."""
        return png.encode(self.overlay())

    def __repr__(self) -> str:
        shares = ", ".join(f"{label} {share:.1%}" for label, share in self.fractions.items())
        return f"<deeplab.Segmentation {self.width}x{self.height}: {shares}>"

    def _ask(self, question: Callable[[int], Any]) -> Any:
        """Calls `question` with the segmenter's handle, if its last picture is still this one."""
        with self._segmenter._lock:
            handle = self._segmenter._handle.pointer
            if self._segmenter._runs != self._run:
                raise errors.InvalidState("the segmenter has had another picture since: ask for scores, confidence "
                                          "masks and cut-outs before its next segment()")
            return question(handle)

    @staticmethod
    def _copy_scores(handle: int) -> npt.NDArray[np.float32]:
        scores = ctypes.c_void_p()
        width, height, classes = ctypes.c_int32(), ctypes.c_int32(), ctypes.c_int32()
        _c.library.deeplab_segmenter_scores(handle, byref(scores), byref(width), byref(height), byref(classes))
        shape = (height.value, width.value, classes.value)
        return np.array(_c.Memory(None, scores.value or 0, shape, "=f4"))
