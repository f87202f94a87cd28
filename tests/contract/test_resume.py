"""For every recipe: training 2N updates equals training N, stopping, and resuming for N more, bit for bit on a CPU."""

from __future__ import annotations

import signal

import pytest
import torch

from craik.core.registry import recipe, where
from craik.eval.contract import kinds_taken
from craik.train import checkpoint
from craik.train.start import learn
from craik.train.stop import Stopped

WORLDS = {
    "vector-box": ("craik/Swing-v0", "state"),
    "vector-discrete": ("CartPole-v1", "state"),
    "pixels-box": ("craik/Swing-v0", "pixels"),
}
PREFILL, N, RATIO = 60, 10, 0.25
SETTINGS = {
    "training.prefill": PREFILL,
    "training.hold": 1,  # held actions end episodes sooner, and with a reset too many one update less is made
    "training.num_envs": 2,
    "training.batch": 3,
    "training.length": 6,
    "training.ratio": RATIO,
    "training.warmup": 3,
}


def trained(name, kind, folder, stop=0):
    """Trains for 2N updates; with `stop`, as far as somebody lets it."""

    def judge(run):
        if run.updates == stop:
            signal.raise_signal(signal.SIGTERM)
        return {}

    world, obs = WORLDS[kind]
    how = {"steps": PREFILL + int(2 * N / RATIO), "seed": 7, "every": N // 2, "overrides": SETTINGS}
    return learn(name, world, obs=obs, dir=folder, evaluate=judge, **how)


def written(folder, updates):
    """Everything in a checkpoint: tensors by file and name, and facts (counters, generators, sampler, replay)."""
    tensors, facts = checkpoint.read(folder / "checkpoints" / f"step-{updates:08d}")
    return {(file, key): x for file, held in tensors.items() for key, x in held.items()}, facts


@pytest.mark.slow
@pytest.mark.parametrize("kind", WORLDS)
@pytest.mark.parametrize("name", where())
def test_2n_updates_equal_n_and_n_more(name, kind, tmp_path):
    module = recipe(name)
    if kind not in kinds_taken(module):
        pytest.skip(f"{name} takes {', '.join(module.TAKES)}")
    assert trained(name, kind, tmp_path / "whole").updates == 2 * N
    with pytest.raises(Stopped):
        trained(name, kind, tmp_path / "parts", stop=N)
    begun, _ = written(tmp_path / "parts", N)
    assert trained(name, kind, tmp_path / "parts").updates == 2 * N
    whole, facts = written(tmp_path / "whole", 2 * N)
    parts, same_facts = written(tmp_path / "parts", 2 * N)
    assert facts == same_facts
    assert whole.keys() == parts.keys()
    assert [key for key in whole if not torch.equal(whole[key], parts[key])] == []
    assert any(not torch.equal(begun[key], parts[key]) for key in begun)  # and it did go on
