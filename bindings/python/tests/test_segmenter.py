"""Segmenters and what they give: masks, lifetimes, threads and limits."""

import gc
import multiprocessing
import os
import threading
import time
import unittest
import weakref

import numpy as np

import deeplab
from common import MODEL, SMALL, Case, picture
from deeplab.segmentation import Result


class Results(Case):
    def setUp(self):
        self.runner = self.segmenter()
        self.result = self.runner.segment(picture())

    def test_category_mask_is_the_class_with_the_highest_confidence(self):
        masks = self.result.confidence_masks()
        self.assertEqual((masks.dtype, masks.shape), (np.float32, (21, 48, 64)))
        np.testing.assert_allclose(masks.sum(axis=0), 1, atol=1e-5)
        self.assertEqual((self.result.category_mask.dtype, self.result.category_mask.shape), (np.uint8, (48, 64)))
        best = np.take_along_axis(masks, self.result.category_mask[np.newaxis].astype(int), axis=0)[0]
        np.testing.assert_allclose(best, masks.max(axis=0), atol=1e-6)
        np.testing.assert_allclose(self.result.certainty_mask(), masks.max(axis=0), atol=1e-6)

    def test_confidence_of_one_class_and_of_several(self):
        masks = self.result.confidence_masks()
        np.testing.assert_allclose(self.result.confidence_mask("cat"), masks[8], atol=1e-6)
        np.testing.assert_allclose(self.result.confidence_mask(8), masks[8], atol=1e-6)
        np.testing.assert_allclose(self.result.confidence_mask(["cat", "dog", 0]), masks[[8, 12, 0]].sum(axis=0),
                                   atol=1e-6)
        with self.assertRaisesRegex(ValueError, "no class 'unicorn'"):
            self.result.confidence_mask("unicorn")

    def test_scores(self):
        info = self.runner.info
        self.assertEqual(self.result.scores.shape, (*info.scores_size[::-1], 21))
        self.assertEqual(self.result.scores.dtype, np.float32)
        self.assertIs(self.result.scores, self.result.scores)
        self.assertGreater(np.ptp(self.result.scores), 1)

    def test_fractions_and_timing(self):
        self.assertAlmostEqual(sum(self.result.fractions.values()), 1)
        shares = list(self.result.fractions.values())
        self.assertEqual(shares, sorted(shares, reverse=True))
        self.assertEqual(self.result.fractions["background"], (self.result.category_mask == 0).mean())
        self.assertTrue(all(stage > 0 for stage in self.result.timing))

    def test_repr_and_png(self):
        self.assertRegex(repr(self.result), r"<deeplab.Segmentation 64x48: background \d+\.\d%")
        self.assertTrue(self.result._repr_png_().startswith(b"\x89PNG"))
        self.assertTrue(self.result.mask_png().startswith(b"\x89PNG"))

    def test_cutout(self):
        cutout = self.result.cutout("background")
        confidence = self.result.confidence_mask("background")
        self.assertEqual((cutout.shape, cutout.dtype), ((48, 64, 4), np.uint8))
        np.testing.assert_array_equal(cutout[..., 3][confidence > 0.81], 255)
        np.testing.assert_array_equal(cutout[..., 3][confidence < 0.19], 0)
        opaque = confidence > 0.81
        self.assertTrue(opaque.any())
        np.testing.assert_array_equal(cutout[opaque][:, :3], picture()[opaque])


class Lifetimes(Case):
    def test_results_own_what_they_handed_out(self):
        runner = self.segmenter()
        first = runner.segment(picture(seed=1))
        kept = [first.category_mask, first.scores, first.confidence_mask("cat"), first.confidence_masks()]
        copies = [array.copy() for array in kept]
        for seed in range(2, 6):
            runner.segment(picture(seed=seed))
        runner.close()
        del runner
        gc.collect()
        for array, copy in zip(kept, copies):
            self.assert_same(array, copy)
        self.assert_same(first.scores, copies[1])
        self.assertEqual(first.overlay().shape, (48, 64, 3))
        self.assertEqual(first.polygons(min_area=10**6), [])

    def test_outdated_results_say_so(self):
        runner = self.segmenter()
        first = runner.segment(picture())
        runner.segment(picture(seed=2))
        for question in (lambda: first.scores, lambda: first.confidence_mask("cat"), first.confidence_masks,
                         first.certainty_mask, lambda: first.cutout("cat")):
            with self.assertRaisesRegex(deeplab.InvalidState, "has had another picture since"):
                question()

    def test_a_run_that_failed_outdates_results_too(self):
        runner = self.segmenter()
        first = runner.segment(picture())
        with self.assertRaises(deeplab.DeadlineExceeded):
            self.run_out_of_time(runner)
        with self.assertRaises(deeplab.InvalidState):
            first.confidence_mask("cat")

    def run_out_of_time(self, runner):
        """A picture of 16 megapixels takes more than a millisecond to scale down."""
        runner.segment(np.zeros((4000, 4000, 3), np.uint8), timeout=0.001)

    def test_closed_segmenter(self):
        runner = self.segmenter()
        result = runner.segment(picture())
        self.assertFalse(runner.closed)
        with runner:
            pass
        self.assertTrue(runner.closed)
        runner.close()
        for question in (lambda: runner.segment(picture()), lambda: runner.info, lambda: result.scores,
                         lambda: result.confidence_mask("cat")):
            with self.assertRaisesRegex(deeplab.InvalidState, "the segmenter is closed"):
                question()
        self.assertEqual(result.category_mask.shape, (48, 64))

    def test_a_segmenter_outlives_its_model(self):
        model = deeplab.Model()
        runner = deeplab.Segmenter(model, size=SMALL, threads=1)
        gone = weakref.ref(model)
        scores = runner.segment(picture()).scores
        del model
        self.assert_same(runner.segment(picture()).scores, scores)
        del runner
        gc.collect()
        self.assertIsNone(gone())

    def test_nothing_grows(self):
        """10,000 calls: what Python and the library hold afterwards is what they held after the first 1,000."""
        if not os.path.exists("/proc/self/statm"):
            self.skipTest("skipped: no /proc")
        runner = self.segmenter(size=33)
        image = picture(24, 32)

        def call(times):
            for _ in range(times):
                result = runner.segment(image)
                result.confidence_mask("cat")
                result.polygons()
                result.fractions
                try:
                    runner.segment(image[:0])
                except ValueError:
                    pass
            gc.collect()
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

        before = call(1000)
        after = call(9000)
        print(f"resident: {before / 2**20:.1f} MiB after 1,000 calls, {after / 2**20:.1f} after 10,000")
        self.assertLess(after - before, 2**20)


class Options(Case):
    def test_canvas(self):
        self.assertEqual(self.segmenter(size=SMALL).info.canvas_size, (SMALL, SMALL))
        self.assertEqual(self.segmenter(size=(97, 65)).info.canvas_size, (97, 65))
        for size, sentence in ((0, "not positive"), ((65, -1), "not positive"), ((1, 2, 3), "expected a number"),
                               (2**32 + 65, "32 bits"), (100000, "canvas|size|limit")):
            with self.subTest(size=size), self.assertRaisesRegex(deeplab.Error, sentence):
                self.segmenter(size=size)
        with self.assertRaisesRegex(TypeError, "expected an integer"):
            self.segmenter(size=65.5)

    def test_fit(self):
        image = picture(20, 40)
        scores = {fit: self.segmenter(fit=fit).segment(image).scores for fit in ("pad", "letterbox", "stretch")}
        self.assertFalse((scores["pad"] == scores["letterbox"]).all())
        self.assertFalse((scores["letterbox"] == scores["stretch"]).all())
        with self.assertRaisesRegex(ValueError, "fit is 'crop'; expected one of pad, letterbox, stretch"):
            self.segmenter(fit="crop")

    def test_normalization(self):
        image = picture()
        usual = self.segmenter().segment(image).scores
        self.assert_same(self.segmenter(mean=127.5, std=[127.5] * 3).segment(image).scores, usual)
        self.assertFalse((self.segmenter(mean=0, std=255).segment(image).scores == usual).all())
        for options, sentence in (({"mean": 1}, "go together"), ({"mean": [1, 2], "std": 1}, "2 numbers"),
                                  ({"mean": 0, "std": 0}, "")):
            with self.subTest(options), self.assertRaisesRegex(ValueError, sentence):
                self.segmenter(**options)

    def test_temporal_mixes_the_pictures_before_until_reset(self):
        plain, smooth = self.segmenter(), self.segmenter(temporal=0.9)
        first, second = np.full((40, 60, 3), 30, np.uint8), np.full((40, 60, 3), 200, np.uint8)
        expected = plain.segment(second).scores
        smooth.segment(first)
        self.assertFalse(np.array_equal(smooth.segment(second).scores, expected))
        smooth.reset()
        np.testing.assert_array_equal(smooth.segment(second).scores, expected)
        with self.assertRaisesRegex(deeplab.InvalidArgument, "temporal is 1"):
            self.segmenter(temporal=1)

    def test_choose_canvas(self):
        model = deeplab.Model()
        self.assertEqual(deeplab.choose_canvas(model, (64, 64), 1e-3), model.input_size)
        with self.assertRaisesRegex(deeplab.ResourceExhausted, "129x97, takes "):
            deeplab.choose_canvas(model, (64, 48), 1e9)

    def test_output_stride_and_limits(self):
        self.assertLess(self.segmenter(output_stride=32).info.macs, self.segmenter().info.macs)
        with self.assertRaises(deeplab.Error):
            self.segmenter(output_stride=3)
        with self.assertRaises(MemoryError) as caught:
            self.segmenter(max_memory_bytes=1000)
        self.assertIsInstance(caught.exception, deeplab.ResourceExhausted)
        with self.assertRaises(deeplab.ResourceExhausted):
            self.segmenter(max_macs=1)

    def test_isa(self):
        self.assertEqual(deeplab.isa_names()[0], "scalar")
        wanted = self.segmenter().segment(picture()).scores
        for isa in deeplab.isa_names():
            segmenter = self.segmenter(isa=isa)
            self.assertEqual(segmenter.info.isa, isa)
            self.assert_same(segmenter.segment(picture()).scores, wanted)
        with self.assertRaisesRegex(deeplab.Error, "abacus"):
            self.segmenter(isa="abacus")

    def test_threads(self):
        self.assertEqual(self.segmenter(threads=2).info.threads, 2)
        with self.assertRaises(ValueError):
            self.segmenter(threads=-1)

    def test_timeout(self):
        runner = self.segmenter()
        self.assertEqual(runner.segment(picture(), timeout=60).width, 64)
        for timeout in (0, -1, float("nan")):
            with self.assertRaisesRegex(ValueError, "expected more than 0"):
                runner.segment(picture(), timeout=timeout)

    def test_model_of_another_type(self):
        with self.assertRaisesRegex(TypeError, "expected a deeplab.Model"):
            deeplab.Segmenter("model.tflite")


def _use(model, segmenter, queue):
    own = deeplab.Segmenter(model, size=SMALL, threads=2)
    queue.put(own.segment(picture()).scores)
    try:
        segmenter.segment(picture())
        queue.put("worked")
    except deeplab.InvalidState as error:
        queue.put(str(error))


class Threads(Case):
    def test_a_shared_segmenter_gives_each_thread_its_own_picture(self):
        runner = self.segmenter()
        images = [picture(40 + 2 * seed, 60, seed=seed) for seed in range(4)]
        wanted = [self.segmenter().segment(image).category_mask for image in images]
        wrong = []

        def work(image, mask):
            for _ in range(50):
                result = runner.segment(image)
                if not np.array_equal(result.category_mask, mask):
                    wrong.append("mask")
                try:
                    if result.confidence_mask("cat").shape != mask.shape:
                        wrong.append("shape")
                except deeplab.InvalidState:
                    pass  # another thread was faster

        run_threads(work, zip(images, wanted))
        self.assertEqual(wrong, [])

    def test_close_while_others_are_at_work(self):
        for _ in range(20):
            runner = self.segmenter(threads=2)
            refused = []

            def work():
                try:
                    while True:
                        runner.segment(picture())
                except deeplab.InvalidState as error:
                    refused.append(str(error))

            threads = [threading.Thread(target=work) for _ in range(2)]
            for thread in threads:
                thread.start()
            runner.segment(picture())
            runner.close()
            for thread in threads:
                thread.join()
            self.assertEqual(refused, ["the segmenter is closed"] * 2)

    def test_the_interpreter_runs_during_a_run(self):
        """While one thread is inside the library, another one is never stopped for as long as the run takes."""
        runner = self.segmenter(size=513, isa="scalar")
        longest_ms = 0.0
        done = threading.Event()

        def watch():
            nonlocal longest_ms
            before = time.monotonic()
            while not done.is_set():
                now = time.monotonic()
                longest_ms = max(longest_ms, (now - before) * 1000)
                before = now

        watcher = threading.Thread(target=watch)
        watcher.start()
        run_ms = runner.segment(picture()).timing.infer_ms
        done.set()
        watcher.join()
        self.assertLess(longest_ms, run_ms / 2)

    def test_each_thread_reads_its_own_error(self):
        texts = []

        def work(number):
            for _ in range(200):
                try:
                    deeplab.Model(f"missing-{number}.tflite")
                except OSError as error:
                    if f"missing-{number}." not in str(error):
                        texts.append(str(error))

        run_threads(work, [(number,) for number in range(4)])
        self.assertEqual(texts, [])

    def test_forked_process(self):
        """Threads are not copied by fork(): a clear error instead of a wait without end. A model has none."""
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        runner = self.segmenter(threads=2)
        process = context.Process(target=_use, args=(self.model, runner, queue))
        process.start()
        self.assert_same(queue.get(timeout=60), runner.segment(picture()).scores)
        self.assertRegex(queue.get(timeout=60), r"the segmenter was made by process \d+ and fork\(\) does not copy")
        process.join(60)
        self.assertEqual(process.exitcode, 0)


def run_threads(work, arguments):
    threads = [threading.Thread(target=work, args=each) for each in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class OtherMasks(unittest.TestCase):
    def test_labels_that_occur_twice_are_counted_together(self):
        model = deeplab.Model(MODEL, labels=["background"] + ["thing"] * 20)
        mask = np.repeat(np.arange(4, dtype=np.uint8), 16).reshape(8, 8)
        result = Result(model, mask, deeplab.Timing(0, 0, 0))
        self.assertEqual(result.fractions, {"background": 0.25, "thing": 0.75})


if __name__ == "__main__":
    unittest.main()
