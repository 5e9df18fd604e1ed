"""Streams: order, waiting, ends and lifetimes."""

import gc
import threading
import time
import unittest

import numpy as np

import deeplab
from common import SMALL, Case, picture


class StreamCase(Case):
    def stream(self, **options):
        options = {"threads": 1, "size": SMALL, **options}
        stream = deeplab.Stream(self.model, **options)
        self.addCleanup(stream.close)
        return stream


class Frames(StreamCase):
    def test_map_gives_the_segmenters_masks_in_order(self):
        images = [picture(40 + seed, 60, seed=seed) for seed in range(10)]
        runner = self.segmenter()
        with self.stream() as stream:
            for round in range(2):  # the stream is open again after the first one
                frames = list(stream.map(images))
                self.assertEqual([frame.id for frame in frames], list(range(10)))
                for frame, image in zip(frames, images):
                    result = runner.segment(image)
                    self.assert_same(frame.category_mask, result.category_mask)
                    self.assertEqual(frame.fractions, result.fractions)
                    self.assertEqual(frame.picture_size, (60, image.shape[0]))
                    self.assertIsNone(frame.error)
                    self.assertTrue(all(stage > 0 for stage in frame.timing))

    def test_map_that_is_left_early(self):
        with self.stream() as stream:
            frames = stream.map(picture(seed=seed) for seed in range(100))
            self.assertEqual(next(frames).id, 0)
            frames.close()
            self.assertEqual(len(list(stream.map([picture()] * 4))), 4)

    def test_map_passes_on_what_its_images_raise(self):
        def images():
            yield picture()
            raise KeyError("camera")

        with self.stream() as stream, self.assertRaises(KeyError):
            list(stream.map(images()))

    def test_push_and_pull_by_two_threads(self):
        stream = self.stream(capacity=2)

        def push():
            for number in range(20):
                stream.push(picture(seed=number), id=1000 + number)
            stream.finish()

        pusher = threading.Thread(target=push)
        pusher.start()
        ids = [frame.id for frame in stream]
        pusher.join()
        self.assertEqual(ids, list(range(1000, 1020)))

    def test_pictures_may_change_after_push(self):
        stream = self.stream()
        image = picture()
        stream.push(image)
        image[:] = 0
        self.assert_same(stream.pull().category_mask, self.segmenter().segment(picture()).category_mask)

    def test_ids(self):
        stream = self.stream()
        stream.push(picture())
        stream.push(picture(), id=2**64 - 1)
        stream.push(picture())
        self.assertEqual([stream.pull().id for _ in range(3)], [0, 2**64 - 1, 2])
        for number in (-1, 2**64):
            with self.assertRaisesRegex(ValueError, "is not in 0 to"):
                stream.push(picture(), id=number)

    def test_confidence_of_all_of_some_and_of_none(self):
        result = self.segmenter().segment(picture())
        for confidence, wanted in (("all", result.confidence_masks()),
                                   ("cat", result.confidence_mask("cat")[np.newaxis]),
                                   (["cat", 12], result.confidence_mask(["cat", "dog"])[np.newaxis])):
            with self.subTest(confidence=confidence):
                frame, = self.stream(confidence=confidence).map([picture()])
                np.testing.assert_allclose(frame.confidences, wanted, atol=1e-6)
        frame, = self.stream().map([picture()])
        with self.assertRaisesRegex(deeplab.InvalidState, "makes no confidence masks"):
            frame.confidences

    def test_mask_size(self):
        frame, = self.stream(mask_size=(20, 10), confidence="all").map([picture()])
        self.assertEqual((frame.width, frame.height, frame.picture_size), (20, 10, (64, 48)))
        self.assertEqual(frame.confidences.shape, (21, 10, 20))

    def test_overlay_polygons_and_colours(self):
        frame, = self.stream().map([picture()])
        result = self.segmenter().segment(picture())
        self.assert_same(frame.overlay(picture()), result.overlay())
        self.assert_same(frame.colorized(), result.colorized())
        self.assertEqual(frame.mask_png(), result.mask_png())
        self.assertEqual(len(frame.polygons(background=True)), len(result.polygons(background=True)))


class Lifetimes(StreamCase):
    def test_masks_outlive_frame_stream_and_model(self):
        model = deeplab.Model()
        stream = deeplab.Stream(model, size=SMALL, threads=1, confidence="all")
        frame, = stream.map([picture()])
        mask, confidences = frame.category_mask, frame.confidences[8]
        copies = mask.copy(), confidences.copy()
        for _ in stream.map([picture(seed=seed) for seed in range(8)]):
            pass
        stream.close()
        del frame, stream, model
        gc.collect()
        deeplab.Segmenter(self.model, size=129, threads=1).segment(picture())  # takes freed memory, if there is any
        self.assert_same(mask, copies[0])
        self.assert_same(confidences, copies[1])
        with self.assertRaisesRegex(ValueError, "read-only"):
            mask[0, 0] = 1

    def test_closed_stream(self):
        stream = self.stream()
        stream.close()
        stream.close()
        self.assertTrue(stream.closed)
        for question in (lambda: stream.push(picture()), stream.pull, stream.finish, stream.flush, stream.cancel):
            with self.assertRaisesRegex(deeplab.InvalidState, "the stream is closed"):
                question()

    def test_stream_that_nobody_closes(self):
        for _ in range(20):
            stream = deeplab.Stream(self.model, size=SMALL, threads=1)
            stream.push(picture())
        del stream
        gc.collect()

    def test_close_while_another_thread_waits(self):
        stream = self.stream()
        ended = []
        waiter = threading.Thread(target=lambda: ended.append(list(stream)))
        waiter.start()
        time.sleep(0.05)
        stream.close()
        waiter.join(60)
        self.assertEqual(ended, [[]])


class Waiting(StreamCase):
    def test_timeouts(self):
        stream = self.stream(capacity=1)
        with self.assertRaises(TimeoutError) as caught:
            stream.pull(timeout=0)
        self.assertIsInstance(caught.exception, deeplab.WouldBlock)
        before = time.monotonic()
        with self.assertRaisesRegex(deeplab.WouldBlock, "no picture is ready"):
            stream.pull(timeout=0.25)  # longer than one slice
        self.assertGreaterEqual(time.monotonic() - before, 0.25)
        stream.push(picture(), timeout=0)
        with self.assertRaisesRegex(deeplab.WouldBlock, "the stream is full"):
            stream.push(picture(), timeout=0.01)
        self.assertEqual(stream.pull().id, 0)

    def test_ends(self):
        stream = self.stream()
        stream.push(picture())
        stream.finish()
        with self.assertRaises(EOFError) as caught:
            stream.push(picture())
        self.assertIsInstance(caught.exception, deeplab.StreamEnded)
        self.assertEqual(len(list(stream)), 1)
        stream.flush()
        stream.push(picture())
        self.assertEqual(stream.pull().id, 1)
        stream.cancel()
        for question in (lambda: stream.push(picture()), stream.pull):
            with self.assertRaises(deeplab.StreamEnded):
                question()

    def test_flush_wakes_who_waits(self):
        stream = self.stream()
        seen = []

        def pull():
            try:
                stream.pull()
            except deeplab.Cancelled as error:
                seen.append(str(error))

        for _ in range(5):
            waiter = threading.Thread(target=pull)
            waiter.start()
            time.sleep(0.02)
            stream.flush()
            waiter.join(60)
        self.assertEqual(len(seen), 5)

    def test_refused_pictures_and_options(self):
        stream = self.stream()
        with self.assertRaises(TypeError):
            stream.push(picture().astype(np.float32))
        with self.assertRaisesRegex(ValueError, "70000x1 is over the limit"):
            stream.push(np.zeros((1, 70000, 3), np.uint8))
        stream.push(picture())
        self.assertEqual(stream.pull().id, 0)
        for options in ({"capacity": 65}, {"capacity": -1}, {"confidence": "unicorn"}, {"mask_size": 0},
                        {"mask_size": (70000, 1)}, {"fit": "crop"}):
            with self.subTest(options), self.assertRaises(ValueError):
                self.stream(**options)


if __name__ == "__main__":
    unittest.main()
