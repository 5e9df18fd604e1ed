"""What the tests share: pictures, the repository's files, and reasons to skip."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import numpy as np

import deeplab

ROOT = pathlib.Path(__file__).resolve().parents[3]
CAT = ROOT / "docs" / "images" / "cat.jpg"
MODEL = ROOT / "models" / "deeplab.tflite"
DATA = pathlib.Path(os.environ.get("DEEPLAB_TEST_DATA") or ROOT.parent / "shared" / "data")

#: Most tests need no more than this canvas, which takes a millisecond.
SMALL = 65


def picture(height=48, width=64, channels=3, seed=1):
    """Noise over a ramp: no two rows, columns or channels are the same. HxWxC uint8."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 200, width)[np.newaxis, :, np.newaxis] * np.linspace(0.3, 1, channels)
    return (ramp + rng.integers(0, 56, (height, width, channels))).astype(np.uint8)


def objects(height=48, width=64):
    """A category mask: background with a bicycle (2) that has a hole, a cat (8) that touches the border, and ignored
    pixels (255)."""
    mask = np.zeros((height, width), np.uint8)
    mask[5:25, 5:30] = 2
    mask[10:20, 12:22] = 0
    mask[30:, 40:60] = 8
    mask[30:34, :4] = 255
    return mask


def pillow():
    """PIL's modules Image and ImageOps, or the test is skipped."""
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise unittest.SkipTest("skipped: no Pillow (Debian's package python3-pil)") from None
    return Image, ImageOps


def test_data(relative):
    if not DATA.is_dir():
        raise unittest.SkipTest(f"skipped: no test data at {DATA}")
    return DATA / relative


def environment(name, what):
    """What ctest passes on, or the test is skipped."""
    value = os.environ.get(name)
    if not value:
        raise unittest.SkipTest(f"skipped: {name} does not say {what}")
    return value


def read_photo(path):
    pil, ops = pillow()
    with pil.open(path) as image:
        return np.asarray(ops.exif_transpose(image).convert("RGB"))


def read_mask(path):
    pil, _ = pillow()
    with pil.open(path) as image:
        assert image.mode == "P", image.mode
        return np.asarray(image)


def compare_with_command(test, photos, options=(), **arguments):
    """The masks of both have the same bytes. The command decodes less than all pixels of a JPEG that is larger than the
    canvas; these photos are not."""
    command = environment("DEEPLAB_COMMAND", "where the deeplab command is")
    runner = deeplab.Segmenter(deeplab.Model(), **arguments)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([command, "segment", *photos, "-o", folder, "--write", "mask", "--quiet", *options],
                       check=True)
        for photo in photos:
            wanted = read_mask(pathlib.Path(folder) / f"{photo.stem}.mask.png")
            mask = runner.segment(read_photo(photo)).category_mask
            test.assertEqual(mask.tobytes(), wanted.tobytes(), photo)


class Case(unittest.TestCase):
    """With one model for all tests, and a small segmenter for each that asks."""

    model = deeplab.Model()

    def segmenter(self, **options):
        options = {"threads": 1, "size": SMALL, **options}
        segmenter = deeplab.Segmenter(self.model, **options)
        self.addCleanup(segmenter.close)
        return segmenter

    def assert_same(self, a, b):
        self.assertEqual(a.dtype, b.dtype)
        np.testing.assert_array_equal(a, b)
