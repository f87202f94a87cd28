"""Heads and senses beside plain retellings."""

import math

import numpy as np
import torch
from gymnasium import spaces
from torch import nn

from craik.parts.heads.actors import BoundedNormal, MixedChoices
from craik.parts.heads.decoder import Decoder
from craik.parts.heads.numbers import Chance, TwoHot
from craik.parts.senses.encoder import Encoder

SPACE = spaces.Dict(
    state=spaces.Box(-np.inf, np.inf, (2,), np.float32),
    phase=spaces.Discrete(3, start=2),
    near=spaces.Box(0, 255, (16, 16, 3), np.uint8),
    far=spaces.Box(0, 255, (16, 16, 1), np.uint8),
)
OBS = {
    "state": torch.tensor([[0.0, -3.0], [100.0, 1e-3]]),
    "phase": torch.tensor([2, 4]),
    "near": torch.randint(256, (2, 16, 16, 3), generator=torch.Generator().manual_seed(0)).byte(),
    "far": torch.randint(256, (2, 16, 16, 1), generator=torch.Generator().manual_seed(1)).byte(),
}
SIGHT = {"units": 8, "depth": 2, "channels": (4, 6), "kernel": 4, "norm": nn.LayerNorm}


def decoder(kernel: int = 4) -> Decoder:
    torch.manual_seed(0)
    return Decoder(SPACE, 5, stem=lambda n: nn.Linear(5, n), **{**SIGHT, "kernel": kernel})


def test_encoder_joins_all_that_is_seen():
    torch.manual_seed(0)
    for kernel in (4, 5):
        encoder = Encoder(SPACE, **{**SIGHT, "kernel": kernel})
        features = encoder(OBS)
        assert features.shape == (2, encoder.size) == (2, 8 + 6 * 4 * 4)
        for name, value in OBS.items():
            other = {**OBS, name: value.flip(0)}
            assert not torch.allclose(encoder(other), features), name


def test_numbers_are_symlogs_and_one_hots():
    numbers = Encoder(SPACE, **SIGHT).numbers(OBS)
    hot = {2: [1.0, 0.0, 0.0], 4: [0.0, 0.0, 1.0]}
    want = []
    for row in range(2):
        parts = {
            "state": [math.copysign(math.log(1 + abs(x)), x) for x in OBS["state"][row].tolist()],
            "phase": hot[OBS["phase"][row].item()],
        }
        want.append([x for name in SPACE.spaces if name in parts for x in parts[name]])
    assert torch.allclose(numbers, torch.tensor(want), atol=1e-6)


def test_twin_of_the_reconstruction():
    for kernel in (4, 5):
        each, features = decoder(kernel), torch.randn(2, 5, generator=torch.Generator().manual_seed(0))
        told, drawn = each.numbers_of(features), each.pictures_of(features)
        for row in range(2):
            want = 0.0
            for guess, x in zip(told["state"][row].tolist(), OBS["state"][row].tolist()):
                want += (guess - math.copysign(math.log(1 + abs(x)), x)) ** 2
            want -= told["phase"][row].log_softmax(-1)[OBS["phase"][row] - 2].item()
            assert math.isclose(each.numbers_loss(features, OBS)[row].item(), want, rel_tol=1e-4)
            want = sum(((drawn[k][row] - OBS[k][row] / 255) ** 2).sum().item() for k in ("near", "far"))
            assert math.isclose(each.pictures_loss(features, OBS)[row].item(), want, rel_tol=1e-4)


def test_reading_undoes_what_was_learned():
    each = decoder()
    with torch.no_grad():
        each.tell.out.weight.zero_()
        parts = {"state": [math.log(101.0), -math.log(4.0)], "phase": [0.0, 0.0, 5.0]}
        each.tell.out.bias.copy_(torch.tensor([x for name in SPACE.spaces if name in parts for x in parts[name]]))
    read = each(torch.zeros(1, 5))
    assert torch.allclose(read["state"], torch.tensor([[100.0, -3.0]]), rtol=1e-4)
    assert read["phase"].item() == 4
    assert read["near"].dtype == torch.uint8
    assert list(read) == list(SPACE.spaces)


def test_two_hot_begins_at_zero_and_learns_any_scale():
    torch.manual_seed(0)
    head = TwoHot(1, units=16, depth=1, bins=63, norm=nn.LayerNorm)
    x = torch.tensor([[-1.0], [1.0]])
    assert head.mean(x).tolist() == [0.0, 0.0]
    adam = torch.optim.Adam(head.parameters(), 3e-2)
    for _ in range(300):
        adam.zero_grad()
        head.loss(x, torch.tensor([-0.01, 3000.0])).mean().backward()
        adam.step()
    low, high = head.mean(x).tolist()
    assert abs(low) < 3
    assert abs(high - 3000) < 150


def test_chance_is_cross_entropy():
    torch.manual_seed(0)
    head, x = Chance(3, units=8, depth=1), torch.randn(4, 3)
    p, target = head(x), torch.tensor([0.0, 1.0, 1.0, 0.0])
    assert torch.allclose(head.loss(x, target), -torch.where(target > 0, p, 1 - p).log(), atol=1e-5)


def test_twin_of_bounded_normal():
    torch.manual_seed(0)
    actor, x = BoundedNormal(nn.Linear(3, 4), 0.1, 1.0), torch.randn(5, 3)
    raw = actor.net(x)
    normal = torch.distributions.Normal(raw[:, :2].tanh(), 0.9 * torch.sigmoid(raw[:, 2:] + 2) + 0.1)
    vectors = torch.randn(5, 2)
    likelihood, entropy = actor.score(x, vectors)
    assert torch.allclose(likelihood, normal.log_prob(vectors).sum(-1), atol=1e-5)
    assert torch.allclose(entropy, normal.entropy().sum(-1), atol=1e-5)
    assert torch.equal(actor.act(x, None), raw[:, :2].tanh())
    draws = torch.stack([actor.act(x, torch.Generator().manual_seed(i)) for i in range(2000)])
    assert torch.allclose(draws.mean(0), normal.mean, atol=0.1)
    assert torch.allclose(draws.std(0), normal.stddev, atol=0.1)


def test_twin_of_mixed_choices():
    torch.manual_seed(0)
    actor, x = MixedChoices(nn.Linear(3, 5), (2, 3), 0.04), torch.randn(4, 3)
    parts = [0.96 * part.softmax(-1) + 0.04 / part.shape[-1] for part in actor.net(x).split((2, 3), -1)]
    both = [torch.distributions.Categorical(p) for p in parts]
    vectors = actor.act(x, torch.Generator().manual_seed(0))
    picks = [part.argmax(-1) for part in vectors.split((2, 3), -1)]
    likelihood, entropy = actor.score(x, vectors)
    assert torch.allclose(likelihood, sum(d.log_prob(i) for d, i in zip(both, picks)), atol=1e-5)
    assert torch.allclose(entropy, sum(d.entropy() for d in both), atol=1e-5)
    draws = torch.stack([actor.act(x, torch.Generator().manual_seed(i)) for i in range(3000)])
    assert torch.allclose(draws.mean(0), torch.cat(parts, -1), atol=0.04)
