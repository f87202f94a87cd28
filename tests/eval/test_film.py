import io

import numpy as np
import pytest
from gymnasium import spaces
from PIL import Image

from craik.core.errors import DataError, SpecError
from craik.eval.film import DREAMT, Film, film, frames, gif, mp4, png, strip
from craik.eval.pretend import Blind, Frozen
from craik.worlds.oracle import Oracle
from tests.behave.points import Points
from tests.eval.test_horizon import gather, walk

WORLD = "craik/Swing-v0"


@pytest.fixture(scope="module")
def episode():
    return gather(WORLD, 1, obs="both", max_steps=30)[0]


@pytest.fixture(scope="module")
def shot(episode):
    return film(Frozen(Oracle.of(WORLD, "both", 16)), episode, context=4, length=12)


def test_a_true_model_dreams_the_truth(episode):
    found = film(Oracle.of(WORLD, "both", 16), episode, context=4)
    assert found.real.shape == found.dreamed.shape == (31, 16, 16, 3)
    assert np.array_equal(found.real, episode.obs["pixels"])
    assert found.difference.mean() < 0.5


def test_a_frozen_one_stays_at_the_last_thing_it_saw(episode, shot):
    assert len(shot.real) == 13
    assert (shot.dreamed[4:] == shot.dreamed[4]).all()
    assert np.abs(shot.dreamed[4].astype(int) - episode.obs["pixels"][4]).mean() < 0.5
    assert shot.difference[-1].max() > 50


def test_it_begins_where_it_is_told(episode):
    found = film(Oracle.of(WORLD, "both", 16), episode, context=3, start=10, length=99)
    assert np.array_equal(found.real, episode.obs["pixels"][10:])


def test_numbers_need_somebody_to_draw_them():
    model = Points(spaces.Box(-2, 2, (2,)))
    with pytest.raises(SpecError, match="numbers"):
        film(model, walk(np.zeros(2), 9))
    draw = lambda obs: np.repeat((40 * np.abs(obs["state"][:, None, :, None])).astype(np.uint8), 3, -1)  # noqa: E731
    found = film(model, walk(np.zeros(2), 9), context=2, draw=draw)
    assert found.real.shape == (10, 1, 2, 3)
    assert found.difference.max() <= 1


def test_it_says_what_cannot_be_filmed(episode):
    with pytest.raises(SpecError, match="no decoder"):
        film(Blind(Oracle.of(WORLD).spec), episode)
    with pytest.raises(DataError, match="30 steps"):
        film(Oracle.of(WORLD, "both", 16), episode, context=5, start=25)


def test_files_open_again_with_every_moment(shot):
    moving = Image.open(io.BytesIO(gif(shot)))
    assert moving.n_frames == 13
    assert moving.size == frames(shot)[0].size
    av = pytest.importorskip("av")
    with av.open(io.BytesIO(mp4(shot))) as video:
        assert sum(1 for _ in video.decode(video=0)) == 13
    still = Image.open(io.BytesIO(png(strip(shot, columns=6))))
    assert still.format == "PNG"


def test_the_border_says_when_the_dream_begins():
    grey = np.full((3, 8, 8, 3), 90, np.uint8)
    shown = frames(Film(grey, grey, 1, 20), scale=2)
    at = lambda image: DREAMT in {c for _, c in image.getcolors(1 << 20)}  # noqa: E731
    assert [at(image) for image in shown] == [False, False, True]
