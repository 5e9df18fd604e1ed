"""Model files."""

from __future__ import annotations

import ctypes
import operator
import os
from ctypes import byref
from dataclasses import dataclass
from typing import Iterable, Optional, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt

from . import _c, draw, errors
from ._images import address_of

#: A class by name or by id.
ClassInput = Union[str, int]


@dataclass(frozen=True)
class ModelInfo:
    """What a model file says about itself; texts are "" if absent."""

    source: str  # the path, "model in memory" or "the built-in model"
    name: str
    description: str
    author: str
    license: str
    version: str
    weights: str  # "float", "per-tensor" or "per-channel"
    input_type: str  # "float32", "int8" or "uint8"
    output: str  # "scores", "probabilities" or "labels": what the file's own last op gives
    labels_given: bool  # by the metadata; otherwise PASCAL VOC's or "class N"
    normalization_given: bool  # by the metadata; otherwise mean and std are defaults
    mean: Tuple[float, float, float]  # tensor value = (pixel - mean) / std, pixels 0..255, in R, G, B
    std: Tuple[float, float, float]
    input_scale: float  # real = scale * (stored - zero point); 1 and 0 for float32
    input_zero_point: int
    file_macs: int  # multiply-accumulates of one picture at the file's own input size


class Model:
    """A model file in memory: immutable, may be shared between threads and segmenters, which keep it alive."""

    def __init__(
        self,
        source: Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, None] = None,
        *,
        labels: Optional[Sequence[str]] = None,
        palette: draw.PaletteInput = "voc",
        threshold: Optional[float] = None,
        output_tensor: Optional[str] = None,
        allow_custom_ops: bool = False,
    ) -> None:
        """Loads and verifies a whole .tflite file.

        `source`: a path (str or PathLike), the file's bytes, or None for the built-in model: DeepLabV3-MobileNetV2,
        int8, 513x513, the 21 classes of PASCAL VOC. Of a file by path: `labels`, one name per class, instead of the
        file's; `threshold`, of a network with one class, the probability that a pixel of the class exceeds;
        `output_tensor`, of a file with several outputs, the one with the masks, by name or by index ("1");
        `allow_custom_ops`: take a file with code for an accelerator in it, for a Segmenter with backend="tflite" and
        that accelerator's delegate. `palette`: colours of the classes, see draw.palette().

        A file by path stays open, and is read again for a Segmenter of another size or number of threads: it may be
        renamed, replaced or removed meanwhile, but its bytes may not change, which would be an IoError there.

        Raises NoSuchFile, IoError, InvalidModel, Unsupported, ResourceExhausted; InvalidArgument for options that do
        not fit."""
        has_options = labels is not None or threshold is not None or output_tensor is not None or allow_custom_ops
        if has_options and not isinstance(source, (str, os.PathLike)):
            raise errors.InvalidArgument("labels, threshold, output_tensor and allow_custom_ops are for models that "
                                         "are given by path")
        self._palette = draw.palette(palette)
        self._palette.flags.writeable = False
        self._handle = _c.Handle(_load(source, labels, threshold, output_tensor, allow_custom_ops),
                                 _c.library.deeplab_model_free, "model")
        info = _c.ModelInfo()
        _c.library.deeplab_model_get_info(self._handle.pointer, byref(info))
        self._input_size = (info.width, info.height)
        self._labels = tuple(_c.text(_c.library.deeplab_model_label(self._handle.pointer, class_id))
                             for class_id in range(info.class_count))
        self._info = _to_info(info)

    @property
    def labels(self) -> Tuple[str, ...]:
        """Names by class id; class 0 is the background."""
        return self._labels

    @property
    def input_size(self) -> Tuple[int, int]:
        """Width and height, in pixels, of the canvas that the file was made for."""
        return self._input_size

    @property
    def palette(self) -> npt.NDArray[np.uint8]:
        """256x3 colours, R, G, B by class id; read-only."""
        return self._palette

    @property
    def info(self) -> ModelInfo:
        return self._info

    def class_id(self, name: ClassInput) -> int:
        """The id of a class that is given by name or by id. InvalidArgument: the model has no such class."""
        if isinstance(name, str):
            if name not in self._labels:
                raise errors.InvalidArgument(f"the model has no class '{name}'; it has {', '.join(self._labels)}")
            return self._labels.index(name)
        try:
            class_id = operator.index(name)
        except TypeError:
            raise TypeError(f"the class is {name!r}; expected a name or a number") from None
        if not 0 <= class_id < len(self._labels):
            raise errors.InvalidArgument(f"the model has no class {class_id}; it has 0 to {len(self._labels) - 1}")
        return class_id

    def class_ids(self, classes: Union[ClassInput, Iterable[ClassInput]]) -> Tuple[int, ...]:
        """The ids of one class or of several, each once, in their order."""
        names = (classes,) if isinstance(classes, (str, int, np.integer)) else classes
        return tuple(dict.fromkeys(self.class_id(name) for name in names))

    def __repr__(self) -> str:
        width, height = self._input_size
        return f"<deeplab.Model {self._info.source}: {len(self._labels)} classes, {width}x{height}>"


def _load(
    source: object,
    labels: Optional[Sequence[str]],
    threshold: Optional[float],
    output_tensor: Optional[str],
    allow_custom_ops: bool,
) -> int:
    """The handle of a new model."""
    if source is None:
        return _c.create(_c.library.deeplab_model_load_builtin)
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = np.frombuffer(source, np.uint8)
        return _c.create(_c.library.deeplab_model_load_memory, address_of(data), data.size)
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(f"the model is of type {type(source).__name__}; expected a path, bytes, or None for the "
                        f"built-in one")
    path = os.fsencode(source)
    if b"\0" in path:
        raise errors.InvalidArgument("the model's path has a zero byte")
    options = _c.with_defaults(_c.ModelOptions, "deeplab_model_options_init")
    if labels is not None:
        options.label_count = len(labels)
        options.labels = (ctypes.c_char_p * max(len(labels), 1))(*[label.encode() for label in labels])
    if threshold is not None:
        if not 0 < threshold < 1:
            raise errors.InvalidArgument(f"threshold is {threshold}; expected a number between 0 and 1")
        options.threshold = threshold
    if output_tensor is not None:
        options.output_tensor = output_tensor.encode()
    options.allow_custom_ops = 1 if allow_custom_ops else 0
    try:
        return _c.create(_c.library.deeplab_model_load_file_with_options, path, byref(options))
    except errors.IoError as error:
        if not os.path.lexists(path):
            raise errors.NoSuchFile(str(error)) from None
        raise


def _to_info(info: _c.ModelInfo) -> ModelInfo:
    return ModelInfo(
        source=_c.text(info.source),
        name=_c.text(info.name),
        description=_c.text(info.description),
        author=_c.text(info.author),
        license=_c.text(info.license),
        version=_c.text(info.version),
        weights=_c.Weights(info.weights).name[len("WEIGHTS_") :].lower().replace("_", "-"),
        input_type=_c.ElementType(info.input_type).name.lower(),
        output=_c.ModelOutput(info.output).name[len("OUTPUT_") :].lower(),
        labels_given=info.labels_given != 0,
        normalization_given=info.normalization_given != 0,
        mean=(info.mean[0], info.mean[1], info.mean[2]),
        std=(info.stddev[0], info.stddev[1], info.stddev[2]),
        input_scale=info.input_scale,
        input_zero_point=info.input_zero_point,
        file_macs=info.file_macs,
    )
