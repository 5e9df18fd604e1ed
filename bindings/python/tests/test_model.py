"""Models: where they come from, what they say, and which files are refused."""

import pathlib
import tempfile
import unittest

import numpy as np

import deeplab
from common import MODEL, SMALL, Case, picture


class Loading(Case):
    def test_built_in_model(self):
        self.assertEqual(self.model.input_size, (513, 513))
        self.assertEqual(len(self.model.labels), 21)
        self.assertEqual((self.model.labels[0], self.model.labels[8]), ("background", "cat"))
        self.assertEqual(self.model.info.source, "the built-in model")
        self.assertEqual(self.model.info.weights, "per-channel")
        self.assertIn("21 classes, 513x513", repr(self.model))

    def test_path_and_bytes_give_the_same_masks(self):
        data = MODEL.read_bytes()
        sources = [MODEL, str(MODEL), data, bytearray(data), memoryview(data)]
        scores = []
        for source in sources:
            model = deeplab.Model(source)
            with deeplab.Segmenter(model, size=SMALL, threads=1) as segmenter:
                scores.append(segmenter.segment(picture()).scores)
        for other in scores[1:]:
            self.assert_same(other, scores[0])

    def test_bytes_may_change_after_loading(self):
        data = bytearray(MODEL.read_bytes())
        model = deeplab.Model(data)
        data[:] = bytes(len(data))
        with deeplab.Segmenter(model, size=SMALL, threads=1) as segmenter:
            self.assert_same(segmenter.segment(picture()).scores, self.segmenter().segment(picture()).scores)

    def test_labels_of_the_caller(self):
        names = [f"thing {number}" for number in range(20)] + ["größe"]
        model = deeplab.Model(MODEL, labels=names)
        self.assertEqual(model.labels, tuple(names))
        self.assertEqual(model.class_id("größe"), 20)
        with self.assertRaisesRegex(deeplab.InvalidArgument, "label"):
            deeplab.Model(MODEL, labels=["one", "two"])

    def test_options_are_for_paths(self):
        with self.assertRaisesRegex(ValueError, "given by path"):
            deeplab.Model(labels=["a"])
        with self.assertRaisesRegex(ValueError, "threshold is 1.5"):
            deeplab.Model(MODEL, threshold=1.5)

    def test_palette(self):
        self.assertEqual(self.model.palette.shape, (256, 3))
        self.assertEqual(self.model.palette[8].tolist(), [64, 0, 0])
        with self.assertRaises(ValueError):
            self.model.palette[0, 0] = 1
        own = deeplab.Model(palette=np.array([[0, 0, 0], [9, 8, 7]], np.uint8))
        self.assertEqual(own.palette[:3].tolist(), [[0, 0, 0], [9, 8, 7], [0, 128, 0]])
        with self.assertRaisesRegex(deeplab.Unsupported, "unknown palette 'rainbow'"):
            deeplab.Model(palette="rainbow")
        with self.assertRaisesRegex(ValueError, "float64 of shape"):
            deeplab.Model(palette=np.zeros((3, 3)))

    def test_classes_by_name_and_id(self):
        self.assertEqual(self.model.class_id("cat"), 8)
        self.assertEqual(self.model.class_id(np.int64(8)), 8)
        self.assertEqual(self.model.class_ids("cat"), (8,))
        self.assertEqual(self.model.class_ids(["cat", 12, "cat"]), (8, 12))
        with self.assertRaisesRegex(ValueError, "no class 'cta'; it has background, aeroplane"):
            self.model.class_id("cta")
        for number in (-1, 21):
            with self.assertRaisesRegex(ValueError, f"no class {number}; it has 0 to 20"):
                self.model.class_id(number)
        with self.assertRaisesRegex(TypeError, "expected a name or a number"):
            self.model.class_id(1.5)


class Refused(unittest.TestCase):
    def test_no_such_file(self):
        with self.assertRaisesRegex(FileNotFoundError, "no-such-file.tflite") as caught:
            deeplab.Model("no-such-file.tflite")
        for kind in (OSError, deeplab.IoError, deeplab.NoSuchFile, deeplab.Error):
            self.assertIsInstance(caught.exception, kind)
        self.assertEqual(caught.exception.status, "IO_ERROR")

    def test_folder(self):
        with self.assertRaises(deeplab.Error) as caught:
            deeplab.Model(MODEL.parent)
        self.assertNotIsInstance(caught.exception, deeplab.NoSuchFile)

    def test_text_as_model(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "notes.tflite"
            path.write_text("This is not a model.\n" * 100)
            with self.assertRaisesRegex(deeplab.InvalidModel, "notes.tflite") as caught:
                deeplab.Model(path)
        self.assertIsInstance(caught.exception, ValueError)
        with self.assertRaises(deeplab.InvalidModel):
            deeplab.Model(b"This is not a model.\n" * 100)

    def test_truncated_model(self):
        data = MODEL.read_bytes()
        for size in (0, 1, 7, 8, 100, len(data) // 2, len(data) - len(data) // 4):
            with self.subTest(size=size), self.assertRaises(deeplab.InvalidModel):
                deeplab.Model(data[:size])

    def test_other_types(self):
        for source in (1, 1.5, [MODEL], np.zeros(3)):
            with self.subTest(source=source), self.assertRaisesRegex(TypeError, "expected a path, bytes, or None"):
                deeplab.Model(source)
        with self.assertRaisesRegex(ValueError, "zero byte"):
            deeplab.Model("a\0b")


if __name__ == "__main__":
    unittest.main()
