"""PIL images as pictures."""

import unittest

import numpy as np

from common import Case, picture, pillow


class PilImages(Case):
    def setUp(self):
        self.pil, _ = pillow()
        self.runner = self.segmenter()

    def test_modes(self):
        rgb = self.pil.fromarray(picture())
        for mode in ("RGB", "RGBA", "L", "1", "P", "LA", "CMYK", "YCbCr", "RGBX"):
            with self.subTest(mode=mode):
                image = rgb.convert(mode)
                wanted = np.asarray(image.convert("RGB"))
                self.assert_same(self.runner.segment(image).scores, self.runner.segment(wanted).scores)

    def test_other_depths_are_refused(self):
        for mode in ("I", "F", "I;16"):
            with self.subTest(mode=mode), self.assertRaisesRegex(TypeError, f"mode {mode}; expected 8 bits"):
                self.runner.segment(self.pil.new(mode, (8, 8)))

    def test_pil_is_never_bgr(self):
        with self.assertRaisesRegex(ValueError, "always RGB"):
            self.runner.segment(self.pil.new("RGB", (8, 8)), channels="bgr")


if __name__ == "__main__":
    unittest.main()
