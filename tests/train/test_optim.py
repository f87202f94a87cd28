import dataclasses

import pytest
import torch
from torch import nn

from craik.core.errors import CheckpointError, UnknownName
from craik.train.learner import Learner, named_parameters
from craik.train.optim import Optimizer, clip_adaptively
from tests.train.toy import ToyAgent, ToyModel, toy_batch, toy_training


def numbers(seed: int, *shapes: tuple[int, ...]) -> list[torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    return [torch.randn(s, generator=g, dtype=torch.float64) for s in shapes]


def test_laprop_equals_the_algorithm_written_out():
    lr, b1, b2, eps, decay = 0.05, 0.9, 0.95, 1e-8, 0.1
    parameter = nn.Parameter(numbers(0, (3, 2))[0].clone())
    training = toy_training(optimizer="laprop", lr=lr, betas=(b1, b2), eps=eps, weight_decay=decay, warmup=0)
    optimizer = Optimizer({"model.p": parameter}, training)
    x, m, v = parameter.detach().clone(), torch.zeros(3, 2), torch.zeros(3, 2)
    for n in range(1, 8):
        (g,) = numbers(n, (3, 2))
        parameter.grad = g.clone()
        optimizer.step(optimizer.norm())
        for i in range(3):
            for j in range(2):
                v[i, j] = b2 * v[i, j] + (1 - b2) * g[i, j] ** 2
                normal = g[i, j] / ((v[i, j] / (1 - b2**n)) ** 0.5 + eps)
                m[i, j] = b1 * m[i, j] + (1 - b1) * normal
                x[i, j] = x[i, j] - lr * decay * x[i, j] - lr * m[i, j] / (1 - b1**n)
    torch.testing.assert_close(parameter.detach(), x, rtol=1e-5, atol=1e-6)


def test_laprop_takes_a_first_step_of_lr_whatever_the_gradients_size():
    for size in (1e-6, 1.0, 1e6):
        parameter = nn.Parameter(torch.zeros(4))
        parameter.grad = torch.full((4,), size)
        optimizer = Optimizer({"model.p": parameter}, toy_training(optimizer="laprop", lr=0.1, eps=1e-20, warmup=0))
        optimizer.step(optimizer.norm())
        torch.testing.assert_close(parameter.detach(), torch.full((4,), -0.1))


@pytest.mark.parametrize("name", ["adamw", "laprop"])
def test_a_parameter_that_joins_late_has_its_own_age(name):
    early, late = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))
    optimizer = Optimizer({"model.a": early, "model.b": late}, toy_training(optimizer=name, lr=0.1, warmup=0))
    early.grad = torch.ones(2)
    optimizer.step(optimizer.norm())
    assert torch.equal(late, torch.zeros(2))
    late.grad = torch.ones(2)
    optimizer.step(optimizer.norm())
    torch.testing.assert_close(late.detach(), torch.full((2,), -0.1))


def test_adaptive_clipping_equals_the_formula_written_out():
    ratio = 0.3
    params = [nn.Parameter(p) for p in numbers(1, (4, 3), (5,), (2, 2))]
    params[2].data.zero_()  # shorter than the smallest norm
    grads = [g * scale for g, scale in zip(numbers(2, (4, 3), (5,), (2, 2)), (100.0, 1e-3, 1.0))]
    for p, g in zip(params, grads):
        p.grad = g.clone()
    clip_adaptively(params, ratio)
    clipped = []
    for p, g in zip(params, grads):
        length = sum(x**2 for x in g.flatten().tolist()) ** 0.5
        longest = ratio * max(sum(x**2 for x in p.flatten().tolist()) ** 0.5, 1e-3)
        clipped.append(length > longest)
        torch.testing.assert_close(p.grad, g * min(1.0, longest / length))
    assert clipped == [True, False, True]


def test_adaptive_clipping_leaves_a_gradient_of_zero_alone():
    parameter = nn.Parameter(torch.ones(3))
    parameter.grad = torch.zeros(3)
    clip_adaptively([parameter], 0.3)
    assert torch.equal(parameter.grad, torch.zeros(3))


def test_adamw_equals_the_algorithm_written_out_and_torchs_own():
    training = toy_training(lr=0.05, warmup=0, weight_decay=0.1, betas=(0.8, 0.9), eps=1e-6)
    weight, bias = (nn.Parameter(p.float()) for p in numbers(3, (2, 2), (2,)))
    optimizer = Optimizer({"model.w": weight, "model.b": bias}, training)
    twins = [nn.Parameter(p.detach().clone()) for p in (weight, bias)]
    adam = {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-6}
    torchs = torch.optim.AdamW([{"params": [t], "weight_decay": d} for t, d in zip(twins, (0.1, 0.0))], **adam)
    plain = {p: [p.detach().clone().double(), 0.0, 0.0, d] for p, d in ((weight, 0.1), (bias, 0.0))}
    for n in range(1, 6):
        for p in (weight, bias):
            (g,) = numbers(10 * n + p.dim(), tuple(p.shape))
            p.grad = g.float()
            x, m, v, decay = plain[p]
            m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g**2
            x = x - 0.05 * decay * x - 0.05 * (m / (1 - 0.8**n)) / ((v / (1 - 0.9**n)).sqrt() + 1e-6)
            plain[p] = [x, m, v, decay]
        for t, p in zip(twins, (weight, bias)):
            t.grad = p.grad.clone()
        torchs.step()
        optimizer.step(optimizer.norm())
    for p, t in zip((weight, bias), twins):
        torch.testing.assert_close(p.detach().double(), plain[p][0], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(p, t, rtol=1e-6, atol=1e-7)


def test_the_learning_rate_warms_up_and_scales_by_the_longest_prefix():
    training = toy_training(lr=1.0, warmup=4, eps=1e-12, lr_scale={"model": 0.5, "model.encode": 0.1})
    names = ("model.encode.weight", "model.move", "agent.policy")
    params = {n: nn.Parameter(torch.zeros(1)) for n in names}
    optimizer = Optimizer(params, training)
    for warm in (0.25, 0.5, 0.75, 1.0, 1.0):
        before = {n: p.item() for n, p in params.items()}
        for p in params.values():
            p.grad = torch.ones(1)
        optimizer.step(optimizer.norm())
        for n, factor in zip(names, (0.1, 0.5, 1.0)):
            assert before[n] - params[n].item() == pytest.approx(warm * factor, rel=1e-4)


def test_the_learning_rate_falls_along_half_a_cosine():
    optimizer = Optimizer({"model.p": nn.Parameter(torch.zeros(1))}, toy_training(warmup=2, cosine=True), 10)
    shares = [optimizer.share(u) for u in range(13)]
    assert shares[:3] == [0.5, 1.0, 1.0]
    assert shares[6] == pytest.approx(0.5)
    assert shares[4] == pytest.approx(0.5 * (1 + 2**-0.5))
    assert shares[10:] == pytest.approx([0, 0, 0])


def test_the_global_norm_is_clipped_after_the_adaptive_one():
    parameter = nn.Parameter(torch.ones(4))
    optimizer = Optimizer({"model.p": parameter}, toy_training(clip_ratio=0.5, clip_norm=0.25))
    parameter.grad = torch.full((4,), 100.0)
    norm = optimizer.norm()
    assert norm.item() == pytest.approx(200.0)
    optimizer.step(norm)
    assert parameter.grad.norm().item() == pytest.approx(0.25, rel=1e-3)


@pytest.mark.parametrize("name", ["adamw", "laprop"])
def test_moments_and_count_resume_exactly(name):
    def fresh() -> Learner:
        model = ToyModel()
        return Learner(model, ToyAgent(model), toy_training(optimizer=name, clip_ratio=0.3), 5)

    whole = fresh()
    half = fresh()
    for i in range(6):
        whole.update(toy_batch(i))
    for i in range(3):
        half.update(toy_batch(i))
    again = fresh()
    again.load_state_dict(half.state_dict())
    for i in range(3, 6):
        again.update(toy_batch(i))
    for (n, a), (_, b) in zip(named_parameters(whole.model, whole.agent), named_parameters(again.model, again.agent)):
        assert torch.equal(a, b), n
    assert set(whole.optimizer.tensors()) == set(again.optimizer.tensors())
    for key, value in whole.optimizer.tensors().items():
        assert torch.equal(value, again.optimizer.tensors()[key]), key


def test_moments_of_another_shape_are_refused():
    optimizer = Optimizer({"model.p": nn.Parameter(torch.zeros(3))}, toy_training())
    with pytest.raises(CheckpointError, match=r"model\.p/mean"):
        optimizer.load({"model.p/mean": torch.zeros(4)}, 1)


def test_unknown_names_say_what_was_meant():
    model = ToyModel()
    named = dict(named_parameters(model, ToyAgent(model)))
    with pytest.raises(UnknownName, match=r"did you mean model\.encode"):
        Optimizer(named, toy_training(lr_scale={"model.encoder": 0.1}))
    with pytest.raises(UnknownName, match="did you mean laprop"):
        Optimizer(named, dataclasses.replace(toy_training(), optimizer="lapropp"))
