"""Every test process: one thread, no screen, the same examples each time."""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported: two processes of many threads each crawl
os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ["SDL_AUDIODRIVER"] = "dummy"

import hypothesis

from tests import shapes

shapes.install()

hypothesis.settings.register_profile("craik", derandomize=True, deadline=None, max_examples=50, database=None)
hypothesis.settings.load_profile("craik")
