"""The package and the command line give the same bytes, and `python -m deeplab` works."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

from common import CAT, MODEL, ROOT, compare_with_command, pillow, read_mask, read_photo


class CommandLine(unittest.TestCase):
    def test_photo_of_the_repository(self):
        for fit in ("pad", "letterbox", "stretch"):
            compare_with_command(self, [CAT], ["--fit", fit, "--size", "641x513"], fit=fit, size=(641, 513))


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
