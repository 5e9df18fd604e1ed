"""backend="tflite": TensorFlow Lite's own library in place of the engine's kernels. What it computes is compared with
direct calls to that library, which the tests of C++ make for every model; here for the way through Python."""

import ctypes
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import deeplab
from common import MODEL, ROOT, Case, picture, test_data

DEFAULT_LIBRARY = (ROOT / "bench" / "peers" / "node_modules" / "tfjs-tflite-node" / "cc_deps" / "linux_amd64"
                   / "libtensorflowlite_c.so")


def library():
    path = pathlib.Path(os.environ.get("DEEPLAB_TFLITE_LIBRARY") or DEFAULT_LIBRARY)
    if not path.exists():
        raise unittest.SkipTest(f"skipped: no TensorFlow Lite at {path}; run `npm ci --ignore-scripts` in bench/peers "
                                f"or set DEEPLAB_TFLITE_LIBRARY")
    return path


def delegate(kind="all"):
    """The delegates that the tests of C++ build; see tests/tflite_library/delegate.cc."""
    folder = os.environ.get("DEEPLAB_TEST_DELEGATES")
    path = pathlib.Path(folder or "") / f"libtest_delegate_{kind}.so"
    if not folder or not path.exists():
        raise unittest.SkipTest("skipped: DEEPLAB_TEST_DELEGATES does not say where the delegates of the tests are")
    return path


def run_directly(path, model, pixels):
    """The scores of a float model for float pixels [1, height, width, 3], by the fewest calls that do it."""
    lite = ctypes.CDLL(str(path))
    pointer = ctypes.c_void_p
    for name in ("ModelCreate", "InterpreterOptionsCreate", "InterpreterCreate", "InterpreterGetInputTensor",
                 "InterpreterGetOutputTensor", "TensorData"):
        getattr(lite, "TfLite" + name).restype = pointer
    lite.TfLiteTensorByteSize.restype = ctypes.c_size_t
    file = lite.TfLiteModelCreate(model, ctypes.c_size_t(len(model)))
    options = lite.TfLiteInterpreterOptionsCreate()
    lite.TfLiteInterpreterOptionsSetNumThreads(pointer(options), 1)
    interpreter = lite.TfLiteInterpreterCreate(pointer(file), pointer(options))
    assert lite.TfLiteInterpreterAllocateTensors(pointer(interpreter)) == 0
    data = lite.TfLiteTensorData(pointer(lite.TfLiteInterpreterGetInputTensor(pointer(interpreter), 0)))
    ctypes.memmove(data, pixels.tobytes(), pixels.nbytes)
    assert lite.TfLiteInterpreterInvoke(pointer(interpreter)) == 0
    output = pointer(lite.TfLiteInterpreterGetOutputTensor(pointer(interpreter), 0))
    scores = ctypes.string_at(lite.TfLiteTensorData(output), lite.TfLiteTensorByteSize(output))
    lite.TfLiteInterpreterDelete(pointer(interpreter))
    lite.TfLiteInterpreterOptionsDelete(pointer(options))
    lite.TfLiteModelDelete(pointer(file))
    return np.frombuffer(scores, np.float32)


class Runs(Case):
    def lite(self, **options):
        options = {"threads": 1, "backend": "tflite", "tflite_library": library(), **options}
        segmenter = deeplab.Segmenter(options.pop("model", self.model), **options)
        self.addCleanup(segmenter.close)
        return segmenter

    def test_info_and_masks(self):
        segmenter = self.lite()
        self.assertEqual((segmenter.info.backend, segmenter.info.delegated), ("tflite", 0))
        engine = self.segmenter(size=None)
        self.assertEqual((engine.info.backend, engine.info.delegated), ("engine", 0))
        image = picture(375, 500)
        result, other = segmenter.segment(image), engine.segment(image)
        self.assertEqual(result.category_mask.shape, (375, 500))
        self.assertGreater((result.category_mask == other.category_mask).mean(), 0.97)
        self.assertEqual(result.scores.shape, other.scores.shape)
        self.assertGreater(result.timing.infer_ms, 0)

    def test_scores_are_those_of_direct_calls(self):
        path = test_data("models") / "deeplabv3_257_mv_gpu.tflite"
        segmenter = self.lite(model=deeplab.Model(path))
        image = picture(257, 257)
        pixels = ((image.astype(np.float32) - np.float32(127.5)) / np.float32(127.5))[np.newaxis]
        wanted = run_directly(library(), path.read_bytes(), pixels)
        scores = segmenter.segment(image).scores
        # The file ends by enlarging the scores to the canvas, so that every eighth of them is one of the coarse ones.
        height, width, classes = scores.shape
        step = 256 // (width - 1)
        self.assertEqual((height, width, classes), (33, 33, 21))
        enlarged = wanted.reshape(257, 257, classes)[::step, ::step]
        np.testing.assert_array_equal(scores, enlarged)

    def test_another_canvas_and_stream(self):
        options = {"threads": 1, "size": 129, "backend": "tflite", "tflite_library": str(library())}
        wanted = deeplab.Segmenter(self.model, **options).segment(picture())
        self.assertEqual(wanted.category_mask.shape, (48, 64))
        with deeplab.Stream(self.model, **options) as stream:
            frames = list(stream.map([picture()] * 2))
        for frame in frames:
            self.assert_same(frame.category_mask, wanted.category_mask)

    def test_choose_canvas(self):
        chosen = deeplab.choose_canvas(self.model, (64, 64), 1e-3, threads=1, backend="tflite",
                                       tflite_library=library())
        self.assertEqual(chosen, self.model.input_size)

    def test_delegate(self):
        alone = self.lite().segment(picture()).scores
        segmenter = self.lite(delegate_library=delegate(), delegate_options={"mode": "all"}, require_delegated=20)
        self.assertGreater(segmenter.info.delegated, 0.2)
        self.assert_same(segmenter.segment(picture()).scores, alone)
        with self.assertRaisesRegex(deeplab.Unsupported, r"took .* % of the multiply-accumulates .* at least 90 %"):
            self.lite(delegate_library=delegate(), delegate_options={"mode": "depthwise"}, require_delegated=90)
        with self.assertRaisesRegex(deeplab.Unsupported, "no accelerator on this board"):
            self.lite(delegate_library=delegate(), delegate_options={"mode": "create"})
        with self.assertRaisesRegex(deeplab.Unsupported, "nobody knows what libtest_delegate_all.so calls its cache"):
            self.lite(delegate_library=delegate(), delegate_cache=tempfile.gettempdir())
        failing = self.lite(delegate_library=delegate(), delegate_options={"mode": "run"})
        with self.assertRaisesRegex(deeplab.InternalError, "the accelerator has lost its clock"):
            failing.segment(picture())

    def test_the_loader_finds_it_by_name(self):
        """In a process of its own, which has the folder in the loader's path."""
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "libtensorflow-lite.so").symlink_to(library().resolve())
            program = ("import deeplab\n"
                       "print(deeplab.Segmenter(deeplab.Model(), threads=1, backend='tflite').info.backend)")
            ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                                 env={**os.environ, "LD_LIBRARY_PATH": folder})
        self.assertEqual((ran.returncode, ran.stdout), (0, "tflite\n"), ran.stderr)

    def test_mediapipe_keeps_the_engine(self):
        import deeplab.mediapipe as mp
        with mp.tasks.vision.ImageSegmenter.create_from_model_path(MODEL) as segmenter:
            self.assertEqual(segmenter._segmenter.info.backend, "engine")


class Refused(Case):
    """Without the library."""

    def refuse(self, kind, sentence, **options):
        with self.subTest(options), self.assertRaisesRegex(kind, sentence):
            self.segmenter(**{"backend": "tflite", **options})

    def test_libraries_that_cannot_be_opened(self):
        self.refuse(OSError, "cannot open /nowhere/lite.so: .*No such file", tflite_library="/nowhere/lite.so")
        self.refuse(OSError, "notes.so", tflite_library=pathlib.Path("/nowhere/notes.so"))
        self.refuse(OSError, "README.md: ", tflite_library=ROOT / "README.md")
        self.refuse(deeplab.Unsupported, "libc.so.6 has no function TfLiteVersion", tflite_library="libc.so.6")

    def test_the_sentence_names_no_flag_of_the_command(self):
        with self.assertRaises(deeplab.IoError) as caught:
            self.segmenter(backend="tflite", tflite_library="/nowhere.so")
        self.assertNotIn("--", str(caught.exception))

    def test_arguments(self):
        self.refuse(ValueError, "backend is 'onnx'; expected one of engine, tflite", backend="onnx")
        for option in ({"tflite_library": "a.so"}, {"delegate_library": "a.so"}, {"delegate_options": {"a": "b"}},
                       {"delegate_cache": "/tmp"}, {"require_delegated": 1}):
            self.refuse(ValueError, "go with backend='tflite'", backend="engine", **option)
        self.refuse(ValueError, "options of a delegate, but no delegate", delegate_options={"a": "b"})
        self.refuse(ValueError, "required_delegated_percent 101; expected 0 to 100", require_delegated=101,
                    delegate_library="a.so")
        self.refuse(TypeError, r"delegate_options\['device'\] is 0; expected a str", delegate_options={"device": 0})
        self.refuse(TypeError, "a key of delegate_options is 1; expected a str", delegate_options={1: "a"})
        self.refuse(TypeError, "tflite_library is b'a'; expected a str", tflite_library=b"a")
        self.refuse(TypeError, "PathLike", delegate_library=3)
        self.refuse(ValueError, "delegate_library has a zero byte", delegate_library="a\0b")

    def test_custom_ops_are_for_those_who_allow_them(self):
        with self.assertRaisesRegex(ValueError, "allow_custom_ops are for models that are given by path"):
            deeplab.Model(allow_custom_ops=True)
        # A file without any is as before.
        self.assertEqual(len(deeplab.Model(MODEL, allow_custom_ops=True).labels), 21)


if __name__ == "__main__":
    unittest.main()
