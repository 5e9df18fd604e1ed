"""The package and the command line give the same bytes, and `python -m deeplab` works."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import deeplab
from common import CAT, MODEL, ROOT, environment, pillow, test_data

PHOTOS = 50


def read_photo(path):
    pil, ops = pillow()
    with pil.open(path) as image:
        return np.asarray(ops.exif_transpose(image).convert("RGB"))


def read_mask(path):
    pil, _ = pillow()
    with pil.open(path) as image:
        assert image.mode == "P", image.mode
        return np.asarray(image)


class CommandLine(unittest.TestCase):
    def compare(self, photos, options=(), **arguments):
        command = environment("DEEPLAB_COMMAND", "where the deeplab command is")
        runner = deeplab.Segmenter(deeplab.Model(), **arguments)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([command, "segment", *photos, "-o", folder, "--write", "mask", "--quiet", *options],
                           check=True)
            for photo in photos:
                wanted = read_mask(pathlib.Path(folder) / f"{photo.stem}.mask.png")
                mask = runner.segment(read_photo(photo)).category_mask
                self.assertEqual(mask.tobytes(), wanted.tobytes(), photo)

    def test_photo_of_the_repository(self):
        for fit in ("pad", "letterbox", "stretch"):
            self.compare([CAT], ["--fit", fit, "--size", "641x513"], fit=fit, size=(641, 513))

    def test_photos_of_two_datasets(self):
        """The first 25 val photos of each. Those of COCO and VOC are at most as large as the canvas; of larger ones the
        command decodes less than all pixels."""
        photos = []
        for dataset in ("voc2012", "coco_voc21"):
            folder = test_data(dataset)
            names = (folder / "ImageSets" / "Segmentation" / "val.txt").read_text().split()[: PHOTOS // 2]
            photos += [next((folder / "JPEGImages").glob(f"{name}.*")) for name in names]
        self.assertEqual(len(photos), PHOTOS)
        self.compare(photos)
        print(f"the masks of {len(photos)} photos have the command line's bytes")


class Demo(unittest.TestCase):
    def run_demo(self, *arguments, folder=ROOT):
        return subprocess.run([sys.executable, "-m", "deeplab", *arguments], cwd=folder, capture_output=True, text=True)

    def test_photo(self):
        pillow()
        for model in ([], [str(MODEL)]):
            with tempfile.TemporaryDirectory() as folder:
                ran = self.run_demo(str(CAT), *model, folder=folder)
                self.assertEqual((ran.returncode, ran.stderr), (0, ""))
                self.assertRegex(ran.stdout, r"cat.jpg: background \d\d.\d%, cat \d\d.\d%\n")
                mask = read_mask(pathlib.Path(folder) / "cat.mask.png")
                self.assertEqual(set(np.unique(mask)), {0, 8})
                overlay = read_photo(pathlib.Path(folder) / "cat.overlay.png")
                self.assertEqual(overlay.shape, (*mask.shape, 3))

    def test_errors_are_one_sentence(self):
        pillow()
        ran = self.run_demo("no-such.jpg")
        self.assertEqual((ran.returncode, ran.stdout, ran.stderr.count("\n")), (1, "", 1))
        self.assertIn("no-such.jpg", ran.stderr)
        ran = self.run_demo(str(CAT), str(CAT))
        self.assertEqual((ran.returncode, ran.stderr.count("\n")), (1, 1))
        self.assertIn("cat.jpg", ran.stderr)
        self.assertEqual(self.run_demo().returncode, 2)


if __name__ == "__main__":
    unittest.main()
