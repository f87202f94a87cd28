"""Models of stable-worldmodel: they keep the contract, imagine what they imagine there, and are scored."""

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from craik.core import tree
from craik.core.spec import Spec
from craik.eval.card.grade import grade
from craik.eval.contract import CONTRACT, check
from craik.eval.foreign.stable_worldmodel import FromLeWM, FromPreJEPA, imagenet
from craik.eval.foreign.tdmpc2 import FromTDMPC2
from craik.worlds import make
from tests.eval.foreign.little import Embedded, Patched, Valued

SIDE = 8
ASKED = [c.name for c in CONTRACT if c.name not in ("overfits_one_batch", "every_parameter_learns")]
"""Learning is that library's own affair."""


def spec_for(action: spaces.Space, **others: spaces.Space) -> Spec:
    return Spec.of(spaces.Dict({"pixels": spaces.Box(0, 255, (SIDE, SIDE, 3), np.uint8), **others}), action)


def lewm(spec: Spec) -> FromLeWM:
    return FromLeWM(Embedded(SIDE, 2), spec)


def prejepa(spec: Spec) -> FromPreJEPA:
    return FromPreJEPA(Patched(SIDE, {"proprio": 3, "action": 2}), spec)


def tdmpc2(spec: Spec) -> FromTDMPC2:
    return FromTDMPC2(Valued(5, 4), spec, 8, lambda logits: logits.softmax(-1) @ torch.linspace(-1, 1, 5)[:, None], {})


PUSHES = spaces.Box(-2, 2, (2,), np.float32)
CASES = {
    "lewm": (lewm, spec_for(PUSHES)),
    "prejepa": (prejepa, spec_for(PUSHES, proprio=spaces.Box(-1, 1, (3,), np.float32))),
    "tdmpc2": (tdmpc2, Spec.of(spaces.Box(-1, 1, (5,), np.float32), spaces.Discrete(4))),
}


@pytest.mark.parametrize("name", CASES)
def test_the_contract_is_kept(name):
    make_model, spec = CASES[name]

    def build():
        return make_model(spec), None

    torch.manual_seed(0)
    report = check(build()[0], build=build, clauses=ASKED)
    assert not report.broken, str(report)


def plainly(model: Embedded, pixels, actions):
    """`LeWM.rollout` written again: H pictures [B, H, ...] and actions [B, T, A] -> embeddings [B, T + 1, D]."""
    found = list(model.encode({"pixels": pixels})["emb"].unbind(1))
    done = model.action_encoder(actions)
    for t in range(len(found), actions.shape[1] + 1):
        low = max(0, t - 3)
        found.append(model.predict(torch.stack(found[low:], 1), done[:, low:t])[:, -1])
    return torch.stack(found, 1)


@pytest.mark.parametrize("seen", [1, 2, 3, 5])
@torch.no_grad()
def test_what_is_imagined_is_what_is_imagined_there(seen):
    torch.manual_seed(0)
    model = lewm(CASES["lewm"][1])
    pixels = torch.randint(256, (4, seen, SIDE, SIDE, 3), dtype=torch.uint8)
    actions = torch.rand(4, seen + 5, 2) * 4 - 2
    state, last = model.start(4), model.spec.null_action(4)
    for t in range(seen):
        state = model.observe(state, last, {"pixels": pixels[:, t]})
        last = actions[:, t]
    dreamt = model.read(tree.merge(model.rollout(state, actions[:, seen - 1 :])))["latent"].unflatten(0, (4, -1))
    there = plainly(model.foreign, imagenet(pixels.flatten(0, 1)).unflatten(0, (4, seen)), actions / 2)
    torch.testing.assert_close(dreamt, there[:, seen:])


@torch.no_grad()
def test_a_latent_of_patches_leaves_the_action_out_and_keeps_the_rest():
    torch.manual_seed(0)
    make_model, spec = CASES["prejepa"]
    model = make_model(spec)
    embedded = torch.randn(3, 4, 14)  # 6 of the picture, 4 of proprio, 4 of the action
    kept = embedded[..., :10]
    apart = (model.latent(embedded)[0] - model.latent(embedded)[1]).square().sum()
    torch.testing.assert_close(apart, (kept[0] - kept[1]).square().sum())
    model.grid = 1
    torch.testing.assert_close(model.latent(embedded), kept.mean(1))


@torch.no_grad()
def test_imagenet_prepares_pictures():
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    picture = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)
    expected = ((picture / 255 - mean) / std).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(imagenet(torch.as_tensor(picture)).numpy(), expected, atol=1e-6)


def test_it_is_scored():
    torch.manual_seed(0)
    world = make("craik/Rooms-v0", obs="pixels", size=16)
    model = FromLeWM(Embedded(16, 2), Spec.of(world.single_observation_space, world.single_action_space))
    card = grade(model, "craik/Rooms-v0", axes="SA")
    assert card.instrument == "probed"
    assert np.isfinite(card["state.err@8:ar"].mean)
    assert 0 <= card["act.retrieval@4,8:ar"].mean <= 1


@torch.no_grad()
def test_the_real_class_imagines_the_same():
    theirs = pytest.importorskip("stable_worldmodel.wm.lewm.lewm")
    modules = pytest.importorskip("stable_worldmodel.wm.lewm.module")

    class Eye(nn.Module):  # what a Hugging Face ViT answers
        def __init__(self):
            super().__init__()
            self.line = nn.Linear(3 * SIDE * SIDE, 8)

        def forward(self, pixels, interpolate_pos_encoding):
            self.last_hidden_state = self.line(pixels.flatten(1))[:, None]
            return self

    torch.manual_seed(0)
    predictor = modules.Predictor(
        num_frames=3, depth=1, heads=2, mlp_dim=16, input_dim=8, hidden_dim=8, output_dim=8, dim_head=4
    )
    real = theirs.LeWM(Eye(), predictor, modules.Embedder(input_dim=2, smoothed_dim=4, emb_dim=8)).eval()
    for p in real.parameters():
        p.add_(0.5 * torch.randn_like(p))  # its gates begin closed
    model = FromLeWM(real, CASES["lewm"][1]).eval()
    seen, wanted = torch.randint(256, (2, 1, SIDE, SIDE, 3), dtype=torch.uint8)  # its cost takes one row at a time
    plans = torch.rand(1, 6, 5, 2) * 2 - 1
    info = {k: imagenet(x).expand(1, 6, 1, -1, -1, -1) for k, x in (("pixels", seen), ("goal", wanted))}
    cost = real.get_cost({**info, "action": torch.zeros(1, 6, 1, 2)}, plans)[0]
    here, there = (model.observe(model.start(1), model.spec.null_action(1), {"pixels": x}) for x in (seen, wanted))
    ends = model.rollout(tree.repeat(here, 6), plans[0] * 2)[:, -1]
    ours = (model.read(ends)["latent"] - model.read(there)["latent"]).square().sum(-1)
    torch.testing.assert_close(ours, cost)
    assert ours.std() > 0.01
