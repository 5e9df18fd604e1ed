"""Which arrays are pictures: of any strides, without a copy; and what is refused."""

import ctypes
import mmap
import unittest

import numpy as np

import deeplab
from common import Case, picture
from deeplab._images import address_of, picture_of


def beside_guard(image, at_end):
    """A copy of `image` whose first byte follows, or whose last byte precedes, a page without access."""
    page = mmap.PAGESIZE
    size = -(-image.nbytes // page) * page
    memory = np.frombuffer(mmap.mmap(-1, size + 2 * page), np.uint8)
    start = memory.ctypes.data
    for guard in (start, start + page + size):
        if ctypes.CDLL(None).mprotect(ctypes.c_void_p(guard), page, 0) != 0:
            raise OSError("mprotect")
    begin = page + (size - image.nbytes if at_end else 0)
    copy = memory[begin:begin + image.nbytes].reshape(image.shape)
    copy[...] = image
    return copy


class Arrays(Case):
    def setUp(self):
        self.runner = self.segmenter()

    def scores(self, image, **options):
        return self.runner.segment(image, **options).scores

    def test_any_row_stride_is_read_in_place(self):
        wide = picture(48, 100)
        contiguous = np.ascontiguousarray(wide[:, 20:84])
        views = {
            "part of a row": wide[:, 20:84],
            "every second row": picture(96, 64)[::2],
            "bottom up": contiguous[::-1],
            "every third row, bottom up": picture(144, 64)[::-3],
            "read-only": np.frombuffer(contiguous.tobytes(), np.uint8).reshape(contiguous.shape),
        }
        for name, view in views.items():
            with self.subTest(name):
                self.assertEqual(picture_of(view).struct.planes[0], address_of(view))
                self.assertEqual(picture_of(view).struct.strides[0], view.strides[0])
                self.assert_same(self.scores(view), self.scores(view.copy()))

    def test_channel_orders(self):
        rgb = picture()
        wanted = self.scores(rgb)
        bgr = np.ascontiguousarray(rgb[:, :, ::-1])
        alpha = picture(channels=1, seed=2)
        self.assertFalse((wanted == self.scores(bgr)).all())
        self.assert_same(self.scores(bgr, channels="bgr"), wanted)
        self.assert_same(self.scores(np.concatenate([rgb, alpha], axis=2)), wanted)
        self.assert_same(self.scores(np.concatenate([bgr, alpha], axis=2), channels="bgr"), wanted)

    def test_order_turned_around_by_a_view_is_read_in_place(self):
        bgr = picture(96, 64)
        for view in (bgr[:, :, ::-1], bgr[::-2, :, ::-1], bgr[:, :1, ::-1]):
            self.assertEqual(picture_of(view).struct.planes[0], address_of(view) - 2)
            self.assert_same(self.scores(view), self.scores(view.copy()))

    def test_grey(self):
        grey = picture(channels=1)[:, :, 0]
        self.assert_same(self.scores(grey), self.scores(np.repeat(grey[:, :, np.newaxis], 3, axis=2)))
        self.assert_same(self.scores(grey[:, :, np.newaxis]), self.scores(grey))
        self.assertEqual(picture_of(grey[::-1]).struct.strides[0], -64)

    def test_pixels_that_lie_apart_are_copied(self):
        rgba = picture(channels=4)
        for view in (
            picture(48, 128)[:, ::2],
            picture()[:, ::-1],
            rgba[:, :, :3],
            rgba[:, :, ::-1],
            picture(64, 48).transpose(1, 0, 2),
            np.moveaxis(np.ascontiguousarray(np.moveaxis(picture(), 2, 0)), 0, 2),
            np.broadcast_to(picture(1, 64), (48, 64, 3)),
            picture(channels=1)[::, ::-1, 0],
        ):
            with self.subTest(strides=view.strides):
                self.assert_same(self.scores(view), self.scores(view.copy()))

    def test_picture_is_not_written_to(self):
        image = picture()
        before = image.copy()
        result = self.runner.segment(image)
        result.overlay()
        result.cutout("cat")
        self.assert_same(image, before)

    def test_small_and_long_pictures(self):
        for shape in ((1, 1), (1, 3000), (3000, 1), (2, 2)):
            mask = self.runner.segment(picture(*shape)).category_mask
            self.assertEqual(mask.shape, shape)

    def test_region_mirror_and_rotation(self):
        image = picture(48, 64)
        part = image[8:40, 16:56]
        self.assert_same(self.scores(image, region=(16, 8, 40, 32)), self.scores(part))
        self.assert_same(self.scores(image, mirror=True), self.scores(image[:, ::-1]))
        for turns in range(4):
            upright = np.rot90(image, -turns)
            result = self.runner.segment(image, rotation=90 * turns)
            self.assertEqual(result.category_mask.shape, upright.shape[:2])
            self.assert_same(result.scores, self.scores(upright))
            self.assertEqual(result.overlay().shape, upright.shape)

    def test_not_a_byte_outside_the_picture_is_read(self):
        """Pictures that begin or end beside memory that nobody may read."""
        for at_end in (False, True):
            for image in (picture(47, 63), picture(47, 63, 4), picture(47, 63, 1)):
                guarded = beside_guard(image, at_end)
                views = [guarded, guarded[::-1], guarded[::2], guarded[:, :40], guarded[:, 20:]]
                if image.shape[2] == 3:
                    views += [view[:, :, ::-1] for view in views]
                for view in views:
                    result = self.runner.segment(view)
                    result.overlay()
                    result.cutout("cat")
                    self.assert_same(result.scores, self.scores(view.copy()))

    def test_objects_with_an_array_inside(self):
        class Wrapped:
            def __init__(self, array):
                self.__array_interface__ = array.__array_interface__
                self.array = array

        image = picture()
        self.assertEqual(picture_of(Wrapped(image)).struct.planes[0], address_of(image))


class Refused(Case):
    def setUp(self):
        self.runner = self.segmenter()

    def refuse(self, error, sentence, image, **options):
        with self.assertRaisesRegex(error, sentence):
            self.runner.segment(image, **options)
        self.assertEqual(self.runner.segment(picture()).category_mask.shape, (48, 64))  # still usable

    def test_types_are_not_guessed(self):
        for dtype in (np.float16, np.float32, np.float64, np.int8, np.uint16, np.int32, np.int64, bool, complex):
            with self.subTest(dtype=dtype):
                self.refuse(TypeError, f"values of type {np.dtype(dtype)}; expected uint8", picture().astype(dtype))
        self.refuse(TypeError, "type str; expected a numpy array or a PIL image", "photo.jpg")
        self.refuse(TypeError, "type bytes; expected", b"\xff\xd8")
        self.refuse(TypeError, "type NoneType; expected", None)

    def test_sizes(self):
        self.refuse(ValueError, "size 0x0 is not positive", np.zeros((0, 0, 3), np.uint8))
        self.refuse(ValueError, "size 0x5 is not positive", np.zeros((5, 0, 3), np.uint8))
        self.refuse(ValueError, "size 70000x1 is over the limit", np.zeros((1, 70000, 3), np.uint8))
        self.refuse(ValueError, "size 1x70000 is over the limit", np.zeros((70000, 1, 3), np.uint8))
        # Refused before anybody copies them: they would take gigabytes.
        self.refuse(ValueError, "is over the limit", np.broadcast_to(np.uint8(1), (70000, 70000)))
        self.refuse(ValueError, "does not fit into 32 bits", np.broadcast_to(np.uint8(1), (2**33, 1)))

    def test_shapes(self):
        for shape in ((48,), (48, 64, 2), (48, 64, 5), (1, 48, 64, 3), (3, 48, 64)):
            with self.subTest(shape=shape):
                image = np.zeros(shape, np.uint8)
                self.refuse(ValueError, "expected HxWx3, HxWx4 or HxW", image)

    def test_options(self):
        self.refuse(ValueError, "channels is 'RGB'", picture(), channels="RGB")
        self.refuse(ValueError, "rotation", picture(), rotation=45)
        self.refuse(ValueError, "does not fit into 32 bits", picture(), rotation=2**32 + 90)
        self.refuse(ValueError, "region", picture(), region=(60, 0, 10, 10))
        self.refuse(ValueError, "the region is empty", picture(), region=(0, 0, 0, 0))
        self.refuse(ValueError, "expected x, y, width, height", picture(), region=(1, 2, 3))


if __name__ == "__main__":
    unittest.main()
