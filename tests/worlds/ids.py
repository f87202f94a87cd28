"""The exact worlds, for tests that run over all of them; what takes long is left out of `make check`."""

import pytest

from craik.worlds.ours import OURS

SLOW = {"craik/Blocks-v0"}
EXACT = [pytest.param(k, marks=pytest.mark.slow) if k in SLOW else k for k, entry in OURS.items() if entry.exact]
