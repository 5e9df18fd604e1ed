#!/usr/bin/env python3
"""measure.py: what the package costs on this machine: time of a call beyond the library's own, four threads against
one, and memory after 10,000 calls. Needs the package installed, or PYTHONPATH=build/release/python. Times mean
something on an idle machine only."""

import os
import statistics
import threading
import time

import numpy as np

import deeplab

SIDE = 513
ROUNDS = 5
PICTURES_PER_THREAD = 25
THREADS = 4


def pictures(count):
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8) for _ in range(count)]


def overhead(model):
    """Wall time of segment() less the stages that the library reports, in milliseconds."""
    image = pictures(1)[0]
    extra = []
    with deeplab.Segmenter(model, threads=1) as segmenter:
        for _ in range(200):
            start = time.perf_counter()
            result = segmenter.segment(image)
            extra.append((time.perf_counter() - start) * 1000 - sum(result.timing))
    print(f"overhead of segment() at {SIDE}x{SIDE}: median {statistics.median(extra):.3f} ms, "
          f"95 % below {sorted(extra)[len(extra) * 95 // 100]:.3f} ms")


def threads(model):
    """The same pictures by four segmenters of one thread each: one after the other, and at the same time."""
    segmenters = [deeplab.Segmenter(model, threads=1) for _ in range(THREADS)]
    image = pictures(1)[0]

    def work(segmenter):
        for _ in range(PICTURES_PER_THREAD):
            segmenter.segment(image)

    def parallel():
        workers = [threading.Thread(target=work, args=(segmenter,)) for segmenter in segmenters]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def serial():
        for segmenter in segmenters:
            work(segmenter)

    times = {"serial": [], "parallel": []}
    for _ in range(ROUNDS):  # in turn, since other programs may run here
        for name, run in (("serial", serial), ("parallel", parallel)):
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    best = {name: min(values) for name, values in times.items()}
    print(f"{THREADS * PICTURES_PER_THREAD} pictures on {os.cpu_count()} cores: one after the other "
          f"{best['serial']:.2f} s, {THREADS} threads {best['parallel']:.2f} s, "
          f"ratio {best['parallel'] / best['serial']:.2f} (best of {ROUNDS})")


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def growth(model):
    with deeplab.Segmenter(model, size=129, threads=1) as segmenter:
        images = pictures(1)
        sizes = []
        for call in range(1, 10001):
            result = segmenter.segment(images[0])
            if call % 10 == 0:
                result.overlay(), result.cutout("cat"), result.polygons(), result.scores, result.confidence_mask(0)
            if call in (100, 1000, 10000):
                sizes.append(f"{resident():.1f} MiB after {call:,}")
    print(f"calls of segment(), canvas 129, pictures {SIDE}x{SIDE}: resident {', '.join(sizes)}")


if __name__ == "__main__":
    built_in = deeplab.Model()
    overhead(built_in)
    threads(built_in)
    growth(built_in)
