"""The list and the contact sheet of worlds."""

import numpy as np
import pytest
from PIL import Image

from craik.core.errors import UnknownName
from craik.worlds import describe, film, known
from craik.worlds.ours import OURS


def test_every_world_is_described():
    lines = describe()
    assert [line.id for line in lines] == list(OURS)
    push = next(line for line in lines if line.id == "craik/Push-v0")
    assert push.goal
    assert push.numbers == 6
    assert push.action == "2 in [-1, 1]"
    assert {"craik/Push-v0", "CartPole-v1"} <= set(known())


def test_a_film_of_one_world(tmp_path):
    path = film(tmp_path / "rooms.png", "craik/Rooms-v0", frames=3, size=32, zoom=1)
    picture = np.asarray(Image.open(path))
    assert picture.shape[2] == 3
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 5
    with pytest.raises(UnknownName, match="Rooms"):
        film(tmp_path / "x.png", "craik/Room-v0")
