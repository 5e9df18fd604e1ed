"""deeplab.draw and deeplab.png on masks that no network made."""

import io
import unittest
import zlib

import numpy as np

import deeplab
from common import Case, objects, picture, pillow
from deeplab import draw, png


class Colours(unittest.TestCase):
    def test_palettes(self):
        self.assertEqual(draw.palette()[:3].tolist(), [[0, 0, 0], [128, 0, 0], [0, 128, 0]])
        self.assertEqual(draw.palette("cityscapes")[0].tolist(), [128, 64, 128])

    def test_colorize(self):
        mask = objects()
        np.testing.assert_array_equal(draw.colorize(mask), draw.palette()[mask])
        np.testing.assert_array_equal(draw.colorize(mask[::-1, ::2]), draw.palette()[mask[::-1, ::2]])
        own = np.full((256, 3), 7, np.uint8)
        self.assertTrue((draw.colorize(mask, own) == 7).all())

    def test_count_pixels(self):
        mask = objects()
        np.testing.assert_array_equal(draw.count_pixels(mask), np.bincount(mask.ravel(), minlength=256))

    def test_masks_of_other_types(self):
        with self.assertRaisesRegex(TypeError, "the mask has values of type int64; expected uint8"):
            draw.colorize(objects().astype(np.int64))
        with self.assertRaisesRegex(ValueError, "expected HxW"):
            draw.count_pixels(np.zeros((2, 2, 2), np.uint8))
        with self.assertRaisesRegex(ValueError, "not positive"):
            draw.count_pixels(np.zeros((0, 4), np.uint8))


class Overlays(unittest.TestCase):
    def test_blend(self):
        image, mask = picture(), objects()
        plain = draw.overlay(image, mask, contours=False, legend=False)
        np.testing.assert_array_equal(plain[mask == 0], image[mask == 0])
        opaque = draw.overlay(image, mask, opacity=1, contours=False, legend=False)
        np.testing.assert_array_equal(opaque[mask == 8], np.broadcast_to(draw.palette()[8], opaque[mask == 8].shape))
        self.assertFalse((draw.overlay(image, mask, legend=False) == plain).all())

    def test_channel_order_and_alpha_do_not_matter(self):
        image, mask = picture(), objects()
        wanted = draw.overlay(image, mask, labels=["a", "b", "ñ"])
        bgr = np.ascontiguousarray(image[:, :, ::-1])
        np.testing.assert_array_equal(draw.overlay(bgr, mask, channels="bgr", labels=["a", "b", "ñ"]), wanted)

    def test_sizes_must_agree(self):
        with self.assertRaisesRegex(ValueError, "the mask is 64x48 pixels, the picture 64x47"):
            draw.overlay(picture(47, 64), objects())
        with self.assertRaisesRegex(ValueError, "the confidence mask is 5x5 pixels"):
            draw.cut_out(picture(), np.zeros((5, 5), np.float32))

    def test_opacity_out_of_range(self):
        with self.assertRaises(ValueError):
            draw.overlay(picture(), objects(), opacity=2)

    def test_cut_out(self):
        confidence = np.linspace(0, 1, 64, dtype=np.float32)[np.newaxis].repeat(48, axis=0)
        rgba = draw.cut_out(picture(), confidence)
        np.testing.assert_allclose(rgba[0, :, 3], np.clip((confidence[0] - 0.2) / 0.6, 0, 1) * 255, atol=1)
        with self.assertRaisesRegex(TypeError, "float64; expected float32"):
            draw.cut_out(picture(), confidence.astype(np.float64))

    def test_blur_background(self):
        confidence = np.zeros((48, 64), np.float32)
        confidence[:, 32:] = 1
        noise = np.random.default_rng(4).integers(0, 256, (48, 64, 3)).astype(np.uint8)
        blurred = draw.blur_background(noise, confidence, 16)
        np.testing.assert_array_equal(blurred[:, 32:], noise[:, 32:])
        self.assertLess(blurred[:, :32].std(), noise[:, :32].std() / 4)
        np.testing.assert_array_equal(draw.blur_background(noise, confidence),
                                      draw.blur_background(noise, confidence, 48 // 20))
        with self.assertRaisesRegex(ValueError, "radius -1 is not in 0..1024"):
            draw.blur_background(noise, confidence, -1)


class Polygons(unittest.TestCase):
    def test_regions(self):
        labels = ["background", "aeroplane", "bicycle"]
        bicycle, cat = draw.polygons(objects(), labels=labels)
        self.assertEqual((bicycle.class_id, bicycle.label, bicycle.area), (2, "bicycle", 20 * 25 - 100))
        self.assertEqual(bicycle.box, (5, 5, 25, 20))
        self.assertEqual([len(ring) for ring in bicycle.rings], [4, 4])
        self.assertEqual({tuple(point) for point in bicycle.rings[1]}, {(12, 10), (22, 10), (22, 20), (12, 20)})
        self.assertEqual((cat.class_id, cat.label, cat.area, cat.box), (8, "class 8", 18 * 20, (40, 30, 20, 18)))
        self.assertEqual(cat.rings[0].dtype, np.int32)

    def test_options(self):
        self.assertEqual([region.class_id for region in draw.polygons(objects(), min_area=380)], [2])
        self.assertEqual([region.class_id for region in draw.polygons(objects(), background=True)], [0, 2, 0, 8])
        with self.assertRaises(ValueError):
            draw.polygons(objects(), tolerance=-1)

    def test_area_of_the_rings_is_that_of_the_region(self):
        rng = np.random.default_rng(3)
        mask = rng.integers(0, 3, (40, 50)).astype(np.uint8)
        regions = draw.polygons(mask)
        self.assertEqual(sum(region.area for region in regions), np.count_nonzero(mask))
        for region in regions:
            shoelace = sum(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2
                           for x, y in (ring.T.astype(np.int64) for ring in region.rings))
            self.assertEqual(abs(shoelace), region.area)


def decode(file):
    """The pixels of a PNG that png.encode() wrote, by the format's own rules: filters 0 and 1 only."""
    position, chunks = 8, {}
    while position < len(file):
        size = int.from_bytes(file[position:position + 4], "big")
        name, data = file[position + 4:position + 8], file[position + 8:position + 8 + size]
        crc = int.from_bytes(file[position + 8 + size:position + 12 + size], "big")
        assert crc == zlib.crc32(name + data), name
        chunks[name] = data
        position += 12 + size
    width, height = (int.from_bytes(chunks[b"IHDR"][at:at + 4], "big") for at in (0, 4))
    depth = {0: 1, 2: 3, 3: 1, 6: 4}[chunks[b"IHDR"][9]]
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + width * depth)
    pixels = rows[:, 1:].reshape(height, width, depth)
    summed = np.add.accumulate(pixels, axis=1, dtype=np.uint8)
    return np.where((rows[:, 0] == 1)[:, np.newaxis, np.newaxis], summed, pixels), chunks


class PngFiles(Case):
    def test_pixels_come_back(self):
        for image in (picture(), picture(channels=4), picture(channels=1), picture(1, 1), picture()[::-1, ::3]):
            with self.subTest(shape=image.shape):
                pixels, _ = decode(png.encode(image))
                np.testing.assert_array_equal(pixels, image)

    def test_indexed(self):
        pixels, chunks = decode(png.encode(objects(), draw.palette()))
        np.testing.assert_array_equal(pixels[:, :, 0], objects())
        self.assertEqual(chunks[b"PLTE"], draw.palette().tobytes())

    def test_pillow_reads_the_same(self):
        pil, _ = pillow()
        for image in (picture(), picture(channels=4), objects()):
            with pil.open(io.BytesIO(png.encode(image))) as opened:
                np.testing.assert_array_equal(np.asarray(opened), image)
        with pil.open(io.BytesIO(png.encode(objects(), draw.palette()))) as opened:
            self.assertEqual(opened.mode, "P")
            np.testing.assert_array_equal(np.asarray(opened), objects())

    def test_refused(self):
        with self.assertRaisesRegex(TypeError, "uint8, not float64"):
            png.encode(np.zeros((2, 2)))
        with self.assertRaisesRegex(deeplab.InvalidArgument, "expected HxW, HxWx3 or HxWx4"):
            png.encode(np.zeros((2, 2, 2), np.uint8))
        with self.assertRaisesRegex(ValueError, "expected HxW"):
            png.encode(np.zeros((0, 2), np.uint8))
        with self.assertRaisesRegex(ValueError, "a palette goes with HxW"):
            png.encode(picture(), draw.palette())


if __name__ == "__main__":
    unittest.main()
