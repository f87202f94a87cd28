"""Axis E: what imagining costs. No test says how fast anything is, only that slower is slower."""

import time

import numpy as np
import pytest
import torch
from torch import nn

from craik.eval.card.cost import RAPL, cost_scores
from craik.eval.card.exam import sit
from craik.eval.card.subject import Subject
from craik.eval.pretend import Pretender
from craik.worlds.oracle import Oracle


class Slow(Pretender):
    """Sleeps, and multiplies matrices, before it imagines."""

    def __init__(self, model, seconds, width=16):
        super().__init__(model)
        self.seconds, self.layer = seconds, nn.Linear(width, width, bias=False)

    def step(self, state, action, *, generator=None):
        time.sleep(self.seconds)
        self.layer(torch.zeros(len(action), self.layer.in_features))
        return super().step(state, action, generator=generator)


@pytest.fixture(scope="module")
def exam():
    return sit("craik/Bounce-v0", 6, seed=2_000_001, horizon=4, views=("state",), futures=1)


def scores(model, exam, **settings):
    found = cost_scores(Subject(model), exam, steps=10, repeats=3, warm=2, **settings)
    return {s.id.removeprefix("cost."): s for s in found}


def test_everything_is_counted(exam, tmp_path):
    saved = tmp_path / "step" / "weights"
    saved.parent.mkdir()
    saved.write_bytes(b"x" * 777)
    found = scores(Slow(Oracle.of(exam.id), 0), exam, checkpoint=tmp_path)
    for name, score in found.items():
        assert score.axis == "E"
        assert np.isfinite(score.values).all() or name == "joules"
        assert score.interval().n == len(score.values) or name == "joules"
    assert found["steps@64"].n == 3
    assert found["parameters"].mean == 256
    assert found["bytes"].mean == 777
    assert scores(Slow(Oracle.of(exam.id), 0), exam)["bytes"].mean == 1024
    assert found["flops"].mean == 2 * 256
    assert "load" in found["steps@1"].says
    assert "threads" in found["latency_p95"].says


def test_an_oracle_has_nothing_to_learn(exam):
    found = scores(Oracle.of(exam.id), exam)
    assert found["parameters"].mean == found["bytes"].mean == found["flops"].mean == 0
    assert found["latency_p95"].mean >= found["latency_p50"].mean > 0
    assert found["steps@64"].mean > found["steps@1"].mean  # many at once cost less each


def test_waiting_is_time_but_no_work(exam):
    quick, slow = (scores(Slow(Oracle.of(exam.id), s), exam) for s in (0, 0.02))
    assert slow["latency_p50"].mean >= 20
    assert slow["steps@1"].mean <= 50
    assert slow["latency_p50"].mean > quick["latency_p50"].mean
    assert slow["work@1"].mean > 2 * slow["steps@1"].mean


def test_energy_is_not_made_up(exam):
    found = scores(Oracle.of(exam.id), exam)["joules"]
    if not RAPL.exists():
        assert np.isnan(found.mean)
        assert "not available" in found.says
