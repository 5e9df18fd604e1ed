"""deeplab.mediapipe as a program written for MediaPipe sees it."""

import pathlib
import subprocess
import sys
import threading
import unittest

import numpy as np

import deeplab
import deeplab.mediapipe as mp
from common import CAT, MODEL, Case, picture, pillow
from deeplab.mediapipe.tasks import python
from deeplab.mediapipe.tasks.python import vision
from deeplab.mediapipe.tasks.python.vision.core.image_processing_options import ImageProcessingOptions

BaseOptions = python.BaseOptions


def image(seed=1, height=48, width=64):
    return mp.Image(image_format=mp.ImageFormat.SRGB, data=picture(height, width, seed=seed))


class Scripts(unittest.TestCase):
    def test_script_of_the_guide(self):
        pillow()
        script = pathlib.Path(__file__).with_name("mediapipe_script.py")
        ran = subprocess.run([sys.executable, script, MODEL, CAT], capture_output=True, text=True)
        self.assertEqual(ran.stderr, "")
        self.assertRegex(ran.stdout, r"\Aclasses: background, cat\nforeground: 0\.\d+\n"
                                     r"cat: \(334, 500\) float32 1\.0\n\Z")

    def test_all_ways_to_import(self):
        from deeplab.mediapipe.tasks.python.core.base_options import BaseOptions as by_module
        from deeplab.mediapipe.tasks.python.vision.image_segmenter import ImageSegmenter as by_file

        self.assertIs(mp.tasks, python)
        self.assertIs(mp.tasks.vision, vision)
        self.assertIs(mp.tasks.vision.ImageSegmenter, by_file)
        self.assertIs(mp.tasks.BaseOptions, by_module)
        self.assertIs(vision.RunningMode, mp.tasks.vision.core.vision_task_running_mode.VisionTaskRunningMode)


class ImageMode(Case):
    def make(self, **options):
        options = vision.ImageSegmenterOptions(BaseOptions(), num_threads=1, **options)
        segmenter = vision.ImageSegmenter.create_from_options(options)
        self.addCleanup(segmenter.close)
        return segmenter

    def test_masks_are_the_librarys_with_stretch(self):
        wanted = self.segmenter(size=513, fit="stretch").segment(picture())
        result = self.make(output_category_mask=True).segment(image())
        self.assert_same(result.category_mask.numpy_view(), wanted.category_mask)
        self.assertEqual(len(result.confidence_masks), 21)
        for mask, confidence in zip(result.confidence_masks, wanted.confidence_masks()):
            self.assert_same(mask.numpy_view(), confidence)
        self.assertEqual(result.category_mask.image_format, mp.ImageFormat.GRAY8)
        self.assertEqual(result.confidence_masks[0].image_format, mp.ImageFormat.VEC32F1)

    def test_defaults(self):
        result = self.make().segment(image())
        self.assertIsNone(result.category_mask)
        self.assertEqual(len(result.confidence_masks), 21)
        result = self.make(output_confidence_masks=False, output_category_mask=True).segment(image())
        self.assertIsNone(result.confidence_masks)

    def test_ways_to_name_the_model(self):
        for segmenter in (
            vision.ImageSegmenter.create_from_model_path(str(MODEL)),
            vision.ImageSegmenter.create_from_options(
                vision.ImageSegmenterOptions(base_options=BaseOptions(model_asset_buffer=MODEL.read_bytes()))),
        ):
            with segmenter:
                self.assertEqual(segmenter.labels[8], "cat")
                self.assertEqual(len(segmenter.segment(image()).confidence_masks), 21)
        with self.assertRaisesRegex(OSError, "no-such.tflite"):
            vision.ImageSegmenter.create_from_model_path("no-such.tflite")
        with self.assertRaisesRegex(ValueError, "not a|model"):
            vision.ImageSegmenter.create_from_options(
                vision.ImageSegmenterOptions(BaseOptions(model_asset_buffer=b"text" * 100)))

    def test_results_outlive_the_segmenter(self):
        segmenter = self.make(output_category_mask=True)
        result = segmenter.segment(image())
        masks = [result.category_mask.numpy_view(), result.confidence_masks[0].numpy_view()]
        copies = [mask.copy() for mask in masks]
        segmenter.segment(image(seed=2))
        segmenter.close()
        del result
        for mask, copy in zip(masks, copies):
            self.assert_same(mask, copy)

    def test_rotation(self):
        segmenter = self.make(output_category_mask=True, output_confidence_masks=False)
        upright = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.rot90(picture(), -1))
        wanted = segmenter.segment(upright).category_mask.numpy_view()
        for degrees in (90, -270, 450):
            turned = segmenter.segment(image(), ImageProcessingOptions(rotation_degrees=degrees))
            self.assert_same(turned.category_mask.numpy_view(), wanted)
        with self.assertRaisesRegex(ValueError, "not a multiple of 90"):
            segmenter.segment(image(), ImageProcessingOptions(rotation_degrees=45))
        with self.assertRaisesRegex(ValueError, "no region of interest"):
            segmenter.segment(image(), ImageProcessingOptions(region_of_interest=(0, 0, 1, 1)))

    def test_misuse(self):
        segmenter = self.make()
        for call in (lambda: segmenter.segment_for_video(image(), 1), lambda: segmenter.segment_async(image(), 1)):
            with self.assertRaisesRegex(ValueError, "made for IMAGE"):
                call()
        with self.assertRaisesRegex(ValueError, "result_callback goes with"):
            self.make(result_callback=print)
        with self.assertRaisesRegex(ValueError, "result_callback goes with"):
            self.make(running_mode=vision.RunningMode.LIVE_STREAM)
        with self.assertRaisesRegex(deeplab.Unsupported, "only the CPU"):
            vision.ImageSegmenter.create_from_options(
                vision.ImageSegmenterOptions(BaseOptions(delegate=BaseOptions.Delegate.GPU)))
        segmenter.close()
        with self.assertRaisesRegex(deeplab.InvalidState, "closed"):
            segmenter.segment(image())


class VideoMode(Case):
    def test_time_stamps_rise(self):
        options = vision.ImageSegmenterOptions(
            BaseOptions(), running_mode=vision.RunningMode.VIDEO, output_category_mask=True, num_threads=1)
        with vision.ImageSegmenter.create_from_options(options) as segmenter:
            for timestamp in (0, 40, 80):
                self.assertEqual(segmenter.segment_for_video(image(), timestamp).category_mask.width, 64)
            for timestamp in (80, 79):
                with self.assertRaisesRegex(ValueError, f"time stamp {timestamp} does not come after 80"):
                    segmenter.segment_for_video(image(), timestamp)
            with self.assertRaisesRegex(ValueError, "made for VIDEO"):
                segmenter.segment(image())


class LiveMode(Case):
    def make(self, callback, **options):
        return vision.ImageSegmenter.create_from_options(vision.ImageSegmenterOptions(
            BaseOptions(), running_mode=vision.RunningMode.LIVE_STREAM, output_category_mask=True,
            result_callback=callback, num_threads=1, **options))

    def test_callback_gets_result_picture_and_time_stamp(self):
        came = threading.Event()
        seen = []

        def callback(result, picture_, timestamp):
            seen.append((result, picture_, timestamp, threading.current_thread()))
            came.set()

        images = [image(seed=seed) for seed in range(4)]
        with self.make(callback) as segmenter:
            for number, each in enumerate(images):
                came.clear()
                segmenter.segment_async(each, 10 * number)
                self.assertTrue(came.wait(60))
        self.assertEqual([timestamp for _, _, timestamp, _ in seen], [0, 10, 20, 30])
        runner = self.segmenter(size=513, fit="stretch")
        for (result, picture_, _, thread), each in zip(seen, images):
            wanted = runner.segment(each.numpy_view())
            self.assertIs(picture_, each)
            self.assertIsNot(thread, threading.main_thread())
            self.assert_same(result.category_mask.numpy_view(), wanted.category_mask)
            self.assert_same(result.confidence_masks[0].numpy_view(), wanted.confidence_masks()[0])

    def test_pictures_that_come_too_fast_are_dropped_and_close_waits_for_the_rest(self):
        seen = []
        segmenter = self.make(lambda result, picture_, timestamp: seen.append(timestamp),
                              output_confidence_masks=False)
        for timestamp in range(200):
            segmenter.segment_async(image(), timestamp)
        segmenter.close()
        self.assertEqual(seen[:2], [0, 1])
        self.assertLess(len(seen), 200)
        self.assertEqual(seen, sorted(seen))
        with self.assertRaisesRegex(deeplab.InvalidState, "closed"):
            segmenter.segment_async(image(), 1000)

    def test_callback_that_raises(self):
        seen = []

        def callback(result, picture_, timestamp):
            seen.append(timestamp)
            raise KeyError("the callback's own fault")

        with self.assertLogs("deeplab.mediapipe", "ERROR") as logs, self.make(callback) as segmenter:
            segmenter.segment_async(image(), 5)
            segmenter.segment_async(image(), 6)
        self.assertEqual(seen, [5, 6])
        self.assertIn("the callback's own fault", logs.output[0])


class Images(unittest.TestCase):
    def test_pixels_are_copied_and_read_only(self):
        pixels = picture()
        made = mp.Image(image_format=mp.ImageFormat.SRGB, data=pixels)
        before = pixels.copy()
        pixels[:] = 0
        np.testing.assert_array_equal(made.numpy_view(), before)
        with self.assertRaises(ValueError):
            made.numpy_view()[0, 0] = 1
        self.assertEqual((made.width, made.height, made.channels, made.step), (64, 48, 3, 192))
        self.assertEqual(made[3, 4, 1], before[3, 4, 1])
        self.assertTrue(made.is_contiguous() and not made.is_empty() and not made.uses_gpu())
        self.assertEqual(made.image_format, mp.ImageFormat.SRGB)

    def test_formats(self):
        for image_format, data in ((mp.ImageFormat.SRGBA, picture(channels=4)),
                                   (mp.ImageFormat.GRAY8, picture(channels=1)),
                                   (mp.ImageFormat.GRAY8, picture(channels=1)[:, :, 0]),
                                   (mp.ImageFormat.VEC32F1, np.zeros((4, 5), np.float32))):
            made = mp.Image(image_format=image_format, data=data)
            np.testing.assert_array_equal(made.numpy_view(), np.squeeze(data))
        for image_format, data in ((mp.ImageFormat.SRGB, picture(channels=4)), (mp.ImageFormat.GRAY8, picture()),
                                   (mp.ImageFormat.SRGB, picture().astype(np.float32)), (99, picture())):
            with self.assertRaises(ValueError):
                mp.Image(image_format=image_format, data=data)

    def test_files(self):
        pil, _ = pillow()
        made = mp.Image.create_from_file(str(CAT))
        np.testing.assert_array_equal(made.numpy_view(), np.asarray(pil.open(CAT)))


if __name__ == "__main__":
    unittest.main()
