"""The embedding family: its ring against a plain list, and its loss against the paper's equation."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from craik.core import tree
from craik.core.data import Batch
from craik.core.spec import Spec
from craik.families.embedding import Embedding
from craik.nets.vit import ViT
from craik.parts.predictors.causal import CausalPredictor
from craik.parts.regularisers.gaussian import SIGReg
from craik.parts.senses.glance import Glance

HISTORY, LATENT = 3, 6


def model(seed: int = 0) -> Embedding:
    space = spaces.Dict({"state": spaces.Box(-1, 1, (4,), np.float32)})
    spec = Spec.of(space, spaces.Box(-2, 2, (2,), np.float32))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = Embedding(
            spec,
            Glance(space, lambda shape: ViT(shape, 8, 8, 1, 2), units=8, latent=LATENT, project=(16,)),
            CausalPredictor(
                LATENT, 2, history=HISTORY, width=8, depth=2, heads=2, head_width=4, hidden=16, project=16, dropout=0.5
            ),
            SIGReg(num_directions=32),
            LATENT,
            HISTORY,
        )
        for parameter in made.parameters():  # AdaLN-zero begins as the identity: move away from it
            torch.nn.init.normal_(parameter, std=0.3)
    return made


def batch(b: int = 3, t: int = 7) -> Batch:
    g = torch.Generator().manual_seed(5)
    first = torch.zeros(b, t + 1, dtype=torch.bool)
    first[:, 0] = True
    first[1, 3] = True
    first[2, 1] = first[2, 2] = True
    return Batch(
        {"state": torch.randn(b, t + 1, 4, generator=g)},
        torch.randn(b, t, 2, generator=g),
        torch.zeros(b, t),
        torch.zeros(b, t, dtype=torch.bool),
        first,
    )


def test_the_belief_is_the_end_of_a_plain_list():
    m, data = model(), batch()
    beliefs = m.follow(data)
    for row in range(3):
        latents, actions = [], []
        for t in range(8):
            if data.first[row, t]:
                latents, actions = [], []
            elif t:
                actions.append(m.vector(data.action[row, t - 1]))
            latents.append(m.encoder({"state": data.obs["state"][row, t][None]})[0])
            belief = beliefs[row, t]
            assert belief.count == min(len(latents), HISTORY)
            kept = torch.stack(latents[-HISTORY:])
            assert torch.allclose(belief.latents[: len(kept)], kept, atol=1e-6)
            assert belief.latents[len(kept) :].abs().sum() == 0
            left = actions[-(HISTORY - 1) :]
            assert torch.equal(belief.actions[: len(left)], torch.stack(left) if left else torch.zeros(0, 2))
            assert belief.actions[len(left) :].abs().sum() == 0


def test_follow_equals_observing_step_by_step():
    m, data = model(), batch()
    whole, parts = m.follow(data), super(Embedding, m).follow(data)
    for (name, a), (_, b) in zip(tree.flatten(whole), tree.flatten(parts)):
        assert torch.allclose(a, b, atol=1e-6), name


def test_one_observation_and_no_action_is_a_stretch():
    m, data = model(), batch()
    belief = m.follow(data.stretch(0, 0))
    assert belief.latents.shape == (3, 1, HISTORY, LATENT)
    assert (belief.count == 1).all()


def test_the_loss_is_the_papers_equation():
    m, data = model(), batch()
    losses = m.loss(data)
    latents = [m.encoder({"state": o}) for o in data.obs["state"].unbind(1)]
    for t in range(7):
        for row in range(3):
            opened = int(torch.nonzero(data.first[row, : t + 1])[-1])
            begin = max(opened, t - HISTORY + 1)
            seen = torch.stack([latents[i][row] for i in range(begin, t + 1)])[None]
            done = m.vector(data.action[row, begin : t + 1])[None]
            error = (m.predictor(seen, done)[0, -1] - latents[t + 1][row]).square().mean()
            assert losses["prediction"][row, t].item() == pytest.approx(error.item(), rel=1e-4)
    each = [m.regulariser(z[:, None]) for z in latents]
    assert losses["regularity"].item() == pytest.approx(torch.stack(each).mean().item(), rel=1e-5)


def test_gradients_flow_into_both_sides_of_the_prediction():
    m, data = model(), batch()
    latents = m.embed(data).detach().requires_grad_()
    left = tree.merge(m.recall(data, latents)[:, :-1]).leaving(m.vector(data.action).flatten(0, 1))
    error = (m.predict(left).unflatten(0, (3, 7)) - latents[:, 1:]).square().sum()
    (gradient,) = torch.autograd.grad(error, latents)
    assert (gradient[:, 0].abs().sum(-1) > 0).all()  # only ever an input
    assert (gradient[:, -1].abs().sum(-1) > 0).all()  # only ever a target


def test_step_feeds_on_its_own_predictions_and_forgets_the_oldest():
    m, data = model(), batch()
    state = m.follow(data)[:, 4]
    seen, done = list(state.latents[0]), list(state.actions[0, : HISTORY - 1])
    for action in data.action.unbind(1)[:5]:
        state = m.step(state, action)
        done.append(m.vector(action[0]))
        seen.append(m.predictor(torch.stack(seen[-3:])[None], torch.stack(done[-3:])[None])[0, -1])
        assert torch.allclose(m.read(state)["latent"][0], seen[-1], atol=1e-5)


def test_before_anything_was_seen_a_step_leaves_from_zeros():
    m = model()
    action = torch.ones(2, 2)
    state = m.step(m.start(2), action)
    expected = m.predictor(torch.zeros(2, 1, LATENT), m.vector(action)[:, None])[:, 0]
    assert torch.allclose(m.read(state)["latent"], expected, atol=1e-6)
    assert (state.count == 1).all()
    assert state.actions.abs().sum() == 0


def test_dropout_comes_with_a_generator_in_the_loss_and_never_in_a_step():
    m, data = model(), batch()
    plain = m.loss(data)["prediction"]
    assert torch.equal(plain, m.loss(data)["prediction"])
    noisy = m.loss(data, generator=torch.Generator().manual_seed(0))["prediction"]
    assert not torch.allclose(plain, noisy)
    assert torch.equal(noisy, m.loss(data, generator=torch.Generator().manual_seed(0))["prediction"])
    state = m.follow(data)[:, 0]
    a, b = m.step(state, data.action[:, 0]), m.step(state, data.action[:, 0], generator=torch.Generator())
    assert torch.equal(a.latents, b.latents)
