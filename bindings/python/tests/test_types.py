"""The package's annotations agree with each other, and a program that uses them is checked by them."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import deeplab

PROGRAM = """
from typing import Dict, List, Tuple
import numpy as np
import numpy.typing as npt
import deeplab

pixels: npt.NDArray[np.uint8] = np.zeros((4, 5, 3), np.uint8)
with deeplab.Segmenter(deeplab.Model(), threads=1, size=(65, 65), mean=[1, 2, 3], std=2.0) as segmenter:
    result = segmenter.segment(pixels, channels="bgr")
    mask: npt.NDArray[np.uint8] = result.category_mask
    fractions: Dict[str, float] = result.fractions
    boxes: List[Tuple[int, int, int, int]] = [region.box for region in result.polygons()]
with deeplab.Stream(segmenter.model, confidence=["cat", 3]) as stream:
    confidences: List[npt.NDArray[np.float32]] = [frame.confidences for frame in stream.map([pixels])]
"""

# Each line one error.
WRONG = """
segmenter.segment(1)
deeplab.Segmenter("model.tflite")
scores: npt.NDArray[np.uint8] = result.scores
result.category_mask = mask
"""


class Types(unittest.TestCase):
    def check(self, path):
        mypy = shutil.which("mypy")
        if mypy is None:
            self.skipTest("skipped: no mypy (Debian's package mypy)")
        ran = subprocess.run([mypy, "--strict", "--ignore-missing-imports", "--python-version", "3.9", "--cache-dir",
                              os.devnull, "--no-color-output", path], capture_output=True, text=True,
                             env={**os.environ, "MYPYPATH": str(self.package.parent)})
        return ran.returncode, ran.stdout

    package = pathlib.Path(deeplab.__file__).parent

    def test_package(self):
        status, output = self.check(self.package)
        self.assertEqual((status, output.startswith("Success")), (0, True), output)

    def test_program(self):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "program.py"
            program.write_text(PROGRAM)
            status, output = self.check(program)
            self.assertEqual(status, 0, output)
            program.write_text(PROGRAM + WRONG)
            status, output = self.check(program)
            self.assertEqual((status, output.count("error:")), (1, 4), output)


if __name__ == "__main__":
    unittest.main()
