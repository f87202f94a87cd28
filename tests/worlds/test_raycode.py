"""A colour to be remembered: when it is shown, that nothing in between tells it, which door pays."""

import numpy as np
import pytest

from craik.worlds import make
from craik.worlds.draw import BLUE, GOLD, GREEN, RED
from craik.worlds.ray import COLORS
from craik.worlds.raycode import DOORS, SHOWN

CODE = "craik/RayCode-v0"


def test_the_code_is_shown_hidden_and_asked_for():
    world = make(CODE, 16, seed=3, factors={"delta": (4, 12)})
    world.reset()
    code = world.state[:, 6].copy()
    for t in range(25):
        panel = world.scene(world.state, world.factors).panel
        for i in range(16):
            doors = [tuple(int(c) for c in p) for p in panel[i]]
            if t < SHOWN:
                assert set(doors) == {(RED, BLUE, GREEN, GOLD)[int(code[i])]}
            elif t < SHOWN + world.factors["delta"][i]:
                assert set(doors).isdisjoint(COLORS)
            else:
                assert doors == [COLORS[int(c)] for c in world.state[i, 8:12]]
                assert sorted(doors) == sorted(COLORS)
        world.step(np.full(16, 2))


def test_pictures_in_between_do_not_tell_the_code():
    world = make(CODE, 4, seed=3, obs="both")
    state = np.zeros((4, 13))
    state[:, :3], state[:, 5], state[:, 6], state[:, 8:12] = [0, -0.7, np.pi / 2], SHOWN + 3, range(4), range(4)
    for name in ("pixels", "map", "depth", "occupancy"):
        seen = world.look(name, state, world.factors)
        assert (seen == seen[:1]).all()
    state[:, 5] = 1
    assert len({p.tobytes() for p in world.look("pixels", state, world.factors)}) == 4


@pytest.mark.parametrize("style", ["direct", "left", "right"])
def test_the_right_door_pays_and_the_others_end(style):
    world = make(CODE, 32, seed=9)
    world.reset()
    paid, over = np.zeros(32), np.zeros(32, bool)
    for _ in range(120):
        _, reward, terminated, _, info = world.step(world.guide(style))
        paid += reward * ~over
        assert (info["right"][~over] == (reward[~over] == 1)).all()
        over |= terminated
    assert paid.mean() == 1
    shut = np.zeros((4, 13))
    shut[:, 0], shut[:, 1], shut[:, 2], shut[:, 8:12] = DOORS, 0.92, np.pi / 2, range(4)
    shut[:, 5] = [10, 40, 40, 10]
    asked = make(CODE, 4)
    asked.reset(options={"state": shut, "goal": shut})
    _, reward, terminated, _, info = asked.step(np.full(4, 3))
    assert terminated.tolist() == [False, True, True, False]
    assert info["wrong"].tolist() == [False, True, True, False]
    assert not reward.any()
