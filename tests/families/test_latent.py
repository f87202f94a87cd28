"""The latent family: its losses written again, who learns from which, and its small parts."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from gymnasium import spaces
from torch import nn

from craik.core.data import Batch, masked_mean
from craik.core.spec import Spec
from craik.nets.ensemble import EnsembleMLP
from craik.ops.simnorm import simnorm
from craik.parts.heads.policies import Choices, SquashedGaussian
from craik.parts.heads.q_ensemble import QEnsemble
from craik.recipes.latent import td_mpc2

BOX, DISCRETE, MULTI = spaces.Box(-2, 2, (2,)), spaces.Discrete(3), spaces.MultiDiscrete([3, 2])
SPACES = pytest.mark.parametrize("space", [BOX, DISCRETE, MULTI], ids=["box", "discrete", "multidiscrete"])


def make(space=BOX, **changes):
    torch.manual_seed(0)
    cfg = dataclasses.replace(td_mpc2.SIZES["tiny"], **changes)
    model = td_mpc2.build(cfg, Spec.of(spaces.Box(-5, 5, (3,)), space))
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn(p.shape))
    return model


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def experience(space=BOX, rows=4, steps=5, seed=1):
    g = gen(seed)
    if isinstance(space, spaces.Box):
        action = torch.rand(rows, steps, 2, generator=g) * 4 - 2
    elif isinstance(space, spaces.Discrete):
        action = torch.randint(3, (rows, steps), generator=g)
    else:
        action = torch.randint(2, (rows, steps, 2), generator=g)
    first = torch.zeros(rows, steps + 1, dtype=torch.bool)
    first[1, 2] = True
    return Batch(
        {"state": torch.randn(rows, steps + 1, 3, generator=g)},
        action,
        torch.randn(rows, steps, generator=g) * 3,
        torch.rand(rows, steps, generator=g) < 0.2,
        first,
    )


def test_simnorm_is_a_softmax_of_every_group():
    x = torch.randn(3, 12, generator=gen())
    y = simnorm(x, 4)
    for row in range(3):
        for group in range(3):
            members = [group + 3 * k for k in range(4)]
            e = np.exp(x[row, members].numpy())
            assert y[row, members].numpy() == pytest.approx(e / e.sum(), abs=1e-6)
    with pytest.raises(ValueError, match="groups of 5"):
        simnorm(x, 5)


def plain_member(net, e, x):
    for i, weight in enumerate(net.weights):
        x = x @ weight[e] + net.biases[i][e]
        if i < len(net.scales):
            x = F.mish(F.layer_norm(x, x.shape[-1:], net.scales[i][e, 0], net.shifts[i][e, 0]))
    return x


def test_an_ensemble_is_its_members_one_by_one():
    torch.manual_seed(0)
    net = EnsembleMLP(3, 5, (8, 6), 4)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(torch.randn(p.shape))
    x = torch.randn(7, 5, generator=gen())
    whole = net(x)
    for e in range(3):
        assert torch.allclose(whole[e], plain_member(net, e, x), atol=1e-5)
    assert torch.allclose(net(x, torch.tensor([2, 0])), whole[[2, 0]], atol=1e-6)


def test_dropout_needs_a_generator():
    torch.manual_seed(0)
    net = EnsembleMLP(2, 5, (64,), 4, dropout=0.5)
    nn.init.normal_(net.weights[-1])
    x = torch.randn(3, 5, generator=gen())
    assert torch.equal(net(x), net(x))
    assert torch.equal(net(x, generator=gen(1)), net(x, generator=gen(1)))
    assert not torch.equal(net(x, generator=gen(1)), net(x))


def test_the_slow_copy_follows_and_learns_nothing():
    torch.manual_seed(0)
    q = QEnsemble(EnsembleMLP(2, 3, (4,), 5))
    before = [p.clone() for p in q.slow.parameters()]
    with torch.no_grad():
        for p in q.net.parameters():
            p.add_(1.0)
    q.follow(0.25)
    for old, now in zip(before, q.slow.parameters()):
        assert torch.allclose(now, old + 0.25, atol=1e-6)
        assert not now.requires_grad


def test_squashed_gaussian_by_change_of_variables():
    policy = SquashedGaussian(nn.Identity(), -3.0, 1.0)
    raw = torch.tensor([[0.3, -0.6, 0.2, -0.4]])
    proposal = policy.propose(raw, gen(3))
    noise = torch.randn(1, 2, generator=gen(3))
    std = torch.exp(-3.0 + 4.0 * (torch.tanh(raw[:, 2:]) + 1) / 2)
    u = raw[:, :2] + std * noise
    assert torch.allclose(proposal.actions[0], torch.tanh(u))
    density = torch.distributions.Normal(raw[:, :2], std).log_prob(u) - torch.log(1 - torch.tanh(u) ** 2)
    assert torch.allclose(proposal.entropy, -density.sum(-1), atol=1e-3)
    assert torch.equal(policy.mode(raw), torch.tanh(raw[:, :2]))


def test_choices_propose_all_there_are():
    policy = Choices(nn.Identity(), (3, 2))
    raw = torch.randn(4, 5, generator=gen())
    proposal = policy.propose(raw, None)
    a, b = torch.distributions.Categorical(logits=raw[:, :3]), torch.distributions.Categorical(logits=raw[:, 3:])
    assert proposal.actions.shape == (6, 4, 5)
    assert torch.allclose(proposal.chances.sum(0), torch.ones(4))
    for k in range(6):
        i, j = proposal.actions[k, 0].split([3, 2])
        expected = a.log_prob(i.argmax().expand(4)) + b.log_prob(j.argmax().expand(4))
        assert torch.allclose(proposal.chances[k].log(), expected, atol=1e-5)
    assert torch.allclose(proposal.entropy, a.entropy() + b.entropy(), atol=1e-5)


def soft_classes(x, bins):
    """The two-hot of symlog(x), bin by bin."""
    x = np.clip(np.sign(x) * np.log1p(abs(x)), bins[0], bins[-1])
    hot = np.zeros(len(bins))
    low = min(int(np.searchsorted(bins, x, side="right")) - 1, len(bins) - 2)
    share = (x - bins[low]) / (bins[low + 1] - bins[low])
    hot[low], hot[low + 1] = 1 - share, share
    return hot


def number(model, logits):
    x = (torch.softmax(logits, -1) * model.bins).sum(-1)
    return torch.sign(x) * (torch.exp(torch.abs(x)) - 1)


@SPACES
def test_losses_written_again(space):
    """Row by row and step by step, after equations 3 and 4; modes instead of samples, no dropout."""
    model, batch = make(space, horizon=3), experience(space)
    losses = model.loss(batch)
    rows, steps = batch.shape
    bins = model.bins.numpy()
    with torch.no_grad():
        action = model.vector(batch.action)
        policy_values = torch.zeros(rows, steps)
        for b in range(rows):
            for t in range(steps):
                if t % 3 == 0 or batch.first[b, t]:
                    z, depth = model.encode({"state": batch.obs["state"][b, t][None]}), 0
                w, a = 0.5**depth, action[b, t][None]
                pair = torch.cat([8 * z - 1, a], -1)
                nxt = simnorm(z.log() + model.dynamics(pair), model.simplex)
                seen = model.encode({"state": batch.obs["state"][b, t + 1][None]})
                assert losses["consistency"][b, t].item() == pytest.approx(
                    w * float((nxt - seen).square().mean()), rel=1e-3, abs=1e-7
                )
                hot = soft_classes(batch.reward[b, t].item(), bins)
                ce = -(hot * model.reward(pair).log_softmax(-1)[0].numpy()).sum()
                assert losses["reward"][b, t].item() == pytest.approx(w * ce, rel=1e-3)
                ahead = sum(
                    chance[0] * number(model, model.values.slow(torch.cat([8 * seen - 1, k], -1)))[:2].amin(0)[0]
                    for k, chance in zip(*(lambda p: (p.actions, p.chances))(model.policy.propose(8 * seen - 1, None)))
                )
                target = batch.reward[b, t] + 0.99 * (1 - batch.terminated[b, t].float()) * ahead
                hot = soft_classes(target.item(), bins)
                ce = np.mean([-(hot * q.log_softmax(-1)[0].numpy()).sum() for q in model.values.net(pair)])
                assert losses["value"][b, t].item() == pytest.approx(w * ce, rel=1e-3)
                going = torch.sigmoid(model.proceed(8 * nxt - 1))[0, 0]
                chance = 1 - going if batch.terminated[b, t] else going
                assert losses["proceed"][b, t].item() == pytest.approx(w * -torch.log(chance).item(), rel=1e-3)
                proposal = model.policy.propose(8 * z - 1, None)
                policy_values[b, t] = sum(
                    c[0] * number(model, model.values.net(torch.cat([8 * z - 1, k], -1)))[:2].mean(0)[0]
                    for k, c in zip(proposal.actions, proposal.chances)
                )
                expected = -w * (policy_values[b, t] / model.scale + 1e-4 * proposal.entropy[0])
                assert losses["policy"][b, t].item() == pytest.approx(float(expected), rel=1e-3, abs=1e-5)
                z, depth = nxt, depth + 1
    low, high = np.quantile(policy_values.numpy(), [0.05, 0.95])
    assert model.spread.item() == pytest.approx(high - low, rel=1e-3)
    model.scale.fill_(2.0)
    model.after_step()
    assert model.scale.item() == pytest.approx(2.0 + 0.01 * (max(high - low, 1.0) - 2.0), rel=1e-5)


@SPACES
def test_the_policy_learns_from_its_loss_and_from_nothing_else(space):
    model, batch = make(space), experience(space)
    losses = {k: masked_mean(v, batch) for k, v in model.loss(batch, generator=gen()).items()}
    losses.pop("policy").backward(retain_graph=True)
    for name, p in model.named_parameters():
        assert (p.grad is not None) == name.startswith("policy"), name
    model.zero_grad(set_to_none=True)
    torch.stack(list(losses.values())).sum().backward()
    for name, p in model.named_parameters():
        assert (p.grad is not None) == (not name.startswith(("policy", "values.slow"))), name


@SPACES
def test_a_rollout_is_its_steps_and_reads_what_it_says(space):
    model, batch = make(space), experience(space)
    state = model.observe(model.start(4), model.spec.null_action(4), batch.at(0))
    path = model.rollout(state, batch.action)
    for t in range(5):
        state = model.step(state, batch.action[:, t])
        assert torch.allclose(path[:, t].latent, state.latent, atol=1e-6)
        assert torch.allclose(path[:, t].reward, state.reward, atol=1e-5)
    said = model.read(state)
    assert set(said) == {"reward", "proceed", "value", "latent", "action"}
    assert torch.equal(said["reward"], state.reward)
    assert said["action"].dtype == (torch.float32 if space is BOX else torch.int64)
    seen = 8 * state.latent - 1
    mode = model.policy.mode(seen)
    q = number(model, model.values.net(torch.cat([seen, mode], -1)))[:2].mean(0)
    assert torch.allclose(said["value"], q, atol=1e-4)


def test_the_start_is_the_middle_of_every_simplex():
    start = make().start(2)
    assert torch.allclose(simnorm(torch.zeros(2, 16), 8), start.latent)
    assert torch.equal(start.reward, torch.zeros(2))
