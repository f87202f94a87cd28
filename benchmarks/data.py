"""How fast windows come out of the store: 16 frames of 64x64x3 from the page cache, on one core.

    python benchmarks/data.py [--episodes 64] [--steps 200] [--seconds 3]

Prints clips a second, beside the time a bare copy of the same bytes takes: what no sampler can beat.
"""

import argparse
import os
import platform
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from gymnasium import spaces

from craik.core.spec import Spec
from craik.data.episode import Episode
from craik.data.replay import Replay
from craik.data.store import EpisodeStore

BATCH, FRAMES = 16, 16


def rate(call, seconds):
    """Calls a second of this process's own CPU time, the best of five stretches: others on the machine only slow it."""
    call()
    best = 0.0
    for _ in range(5):
        count, start = 0, time.process_time()
        while time.process_time() - start < seconds / 5:
            call()
            count += 1
        best = max(best, count / (time.process_time() - start))
    return best


def fill(path, spec, episodes, steps, rng):
    store = EpisodeStore.create(path, spec)
    made = []
    for _ in range(episodes):
        obs = {
            k: rng.integers(0, 256, (steps + 1, *s.shape), dtype=np.uint8) if s.dtype == np.uint8
            else rng.standard_normal((steps + 1, *s.shape))
            for k, s in spec.obs.spaces.items()
        }  # fmt: skip
        end = np.arange(steps) == steps - 1
        made.append(Episode.of(spec, obs, rng.standard_normal((steps, 2)), np.zeros(steps), end, ~end & end))
    start = time.perf_counter()  # a commit waits for the disk
    for each in made:
        store.append(each)
    return store, (time.perf_counter() - start) / episodes * 1e3


def floor(rng, seconds):
    """Clips a second of nothing but copying: BATCH clips from random places of 128 MiB into one warm buffer."""
    clip = FRAMES * 64 * 64 * 3
    source = rng.integers(0, 256, 128 << 20, dtype=np.uint8)
    target = np.zeros((BATCH, clip), np.uint8)

    def copy():
        for row, at in enumerate(rng.integers(0, len(source) - clip, BATCH).tolist()):
            target[row] = source[at : at + clip]

    return BATCH * rate(copy, seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=64)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=3.0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    action = spaces.Box(-1, 1, (2,), np.float32)
    pixels = Spec.of(spaces.Box(0, 255, (64, 64, 3), np.uint8), action)
    state = Spec.of(spaces.Box(-np.inf, np.inf, (8,), np.float32), action)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, numpy {np.__version__}, one thread")
    with tempfile.TemporaryDirectory() as folder:
        store, commit = fill(f"{folder}/pixels", pixels, args.episodes, args.steps, rng)
        replay = Replay(store, pixels)
        out = replay.sample(BATCH, FRAMES - 1, rng)
        print(f"commit an episode of {args.steps} frames ({store.entries[0].bytes / 1e6:.1f} MB): {commit:.1f} ms")
        bare = floor(rng, args.seconds)
        reused = BATCH * rate(lambda: replay.sample(BATCH, FRAMES - 1, rng, out=out), args.seconds)
        fresh = BATCH * rate(lambda: replay.sample(BATCH, FRAMES - 1, rng), args.seconds)
        print(f"{FRAMES}-frame 64x64x3 clips a second, batches of {BATCH}:")
        print(f"  bare copy of the bytes   {bare:>9,.0f}  ({bare * FRAMES * 12288 / 1e9:.1f} GB/s)")
        print(f"  replay, buffer reused    {reused:>9,.0f}  ({reused * FRAMES * 12288 / 1e9:.1f} GB/s)")
        print(f"  replay, fresh tensors    {fresh:>9,.0f}")
        store, commit = fill(f"{folder}/state", state, args.episodes, args.steps, rng)
        replay = Replay(store, state)
        rows = 256 * rate(lambda: replay.sample(256, 5, rng), args.seconds)
        print(f"rows of 6 states of 8 numbers a second, batches of 256: {rows:,.0f}; commit {commit:.1f} ms")


if __name__ == "__main__":
    main()
