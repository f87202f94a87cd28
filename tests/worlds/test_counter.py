"""The counter world keeps the time convention under each autoreset mode of Gymnasium."""

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from craik.worlds import make


def test_it_counts():
    world = make("craik/Counter-v0", 2, autoreset="Disabled", obs="both", size=4)
    obs, _ = world.reset()
    assert obs["state"].tolist() == [[0, 0, -1]] * 2
    for episode, (length, terminates) in enumerate([(3, True), (5, False), (4, True), (3, False)]):
        for t in range(1, length + 1):
            obs, reward, terminated, truncated, info = world.step(np.full((2, 1), 0.5, np.float32))
            assert obs["state"].tolist() == [[t, episode, 0.5]] * 2
            assert reward.tolist() == [t, t]
            assert obs["pixels"][0, 0, 0].tolist() == [8 * t, 8 * episode, 12]
            assert info["step"].tolist() == [t, t]
            assert terminated.tolist() == [t == length and terminates] * 2
            assert truncated.tolist() == [t == length and not terminates] * 2
        world.reset(options={"reset_mask": np.ones(2, bool)})


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_resets_by_itself(mode):
    world = make("craik/Counter-v0", 1, autoreset=mode, bins=3)
    world.reset()
    seen = [world.step(np.array([2]))[0]["state"][0].tolist() for _ in range(5)]
    if mode is AutoresetMode.NEXT_STEP:
        assert seen == [[1, 0, 2], [2, 0, 2], [3, 0, 2], [0, 1, -1], [1, 1, 2]]
    else:
        assert seen == [[1, 0, 2], [2, 0, 2], [0, 1, -1], [1, 1, 2], [2, 1, 2]]
