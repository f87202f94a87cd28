"""LeWM: the published size, the paper's loss weights, and a check that can be run at all."""

import dataclasses

import numpy as np
import pytest
import torch
from gymnasium import spaces

from craik.core.spec import Spec
from craik.eval.reaching import Course, gather, goal_reaching, seen_spread
from craik.recipes.embedding import le_wm
from craik.train.learner import Learner


def count(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_the_published_size_has_the_published_number_of_parameters():
    # Push-T at 224 x 224, blocks of 5 two-dimensional actions. The paper says "~15M" of encoder and predictor; the
    # checkpoints quentinll/lewm-* hold 18.03M with both projectors, 5.5M of them in ViT-tiny, 10.79M in the predictor.
    seen = spaces.Dict({"pixels": spaces.Box(0, 255, (224, 224, 3), np.uint8)})
    spec = Spec.of(seen, spaces.Box(-1, 1, (10,), np.float32))
    with torch.device("meta"):
        model = le_wm.build(le_wm.SIZES["vit_tiny"], spec)
    assert count(model) == pytest.approx(18.03e6, rel=0.02)
    assert count(model.encoder.eyes[0]) == pytest.approx(5.50e6, rel=0.02)
    predictor = count(model.predictor) - count(model.predictor.action) - count(model.predictor.leave)
    assert predictor == pytest.approx(10.79e6, rel=0.02)


def test_the_loss_is_prediction_plus_lambda_sigreg():
    cfg = le_wm.SIZES["vit_tiny"]
    assert le_wm.training(cfg).weights == {"prediction": 1.0, "regularity": 0.09}
    assert le_wm.training(cfg).length == cfg.history == 3


def test_an_untold_agent_seeks_the_mean_embedding():
    spec = Spec.of(spaces.Box(-1, 1, (4,), np.float32), spaces.Box(-1, 1, (2,), np.float32))
    cfg = le_wm.SIZES["tiny"]
    model = le_wm.build(cfg, spec)
    agent = le_wm.agent(model, cfg)
    action, _ = agent.act(model, model.start(3), agent.start(3))
    assert action.shape == (3, 2)
    assert agent.objective.goal.abs().sum() == 0


COURSE = Course("craik/Rooms-v0", image_size=16, data_steps=640, data_length=20, distance=10, length=20, num=8)


def test_without_sigreg_embeddings_collapse_and_with_it_they_do_not():
    data = gather(COURSE, 11)
    std = {}
    for weight in (0.0, 0.09):
        cfg = dataclasses.replace(le_wm.SIZES["tiny"], regularity=weight, lr=5e-3)
        with torch.random.fork_rng():
            torch.manual_seed(11)
            model = le_wm.build(cfg, data.spec)
        learner = Learner(model, le_wm.agent(model, cfg), le_wm.training(cfg), 11)
        rng = np.random.default_rng(11)
        for _ in range(120):
            learner.update(data.sample(32, 3, rng))
        std[weight] = seen_spread(model, data).std
    assert std[0.09] > 0.3
    assert std[0.0] < 0.1 * std[0.09]


def test_the_trial_tells_every_figure_it_promises():
    trial = goal_reaching(
        "le_wm",
        COURSE,
        claims=(),
        minutes=1,
        size="tiny",
        overrides={"updates": 4, "horizon": 2, "receding_horizon": 2},
        collapse={"regularity": 0.0},
    )
    figures = trial.run(11)
    told = {f"collapsed_{k}" for k in ("success", "rank", "std")} | {"success", "success_low", "success_high"}
    told |= {"shuffled", "random", "nothing", "lucky", "simulator", "idle", "rank", "std", "cpu_minutes", "updates"}
    assert set(figures) == told
    assert all(np.isfinite(v) for v in figures.values())
    assert figures["nothing"] == 0
    figures.pop("cpu_minutes")
    again = trial.run(11)
    again.pop("cpu_minutes")
    assert again == figures


def test_every_claim_names_a_figure():
    figures = {"success", "shuffled", "random", "collapsed_success", "collapsed_std", "rank", "std", "collapsed_rank"}
    for trial in le_wm.CHECK.trials:
        for claim in trial.claims:
            assert claim.figure in figures
            assert claim.over in figures or isinstance(claim.over, float)
