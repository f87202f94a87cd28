import math

import torch

from craik.ops.choice import mixed_log
from craik.ops.kl import balanced_kl, categorical_kl


def test_twin():
    torch.manual_seed(0)
    p, q = torch.randn(4, 3, 5).log_softmax(-1), torch.randn(4, 3, 5).log_softmax(-1)
    got = categorical_kl(p, q)
    for row in range(4):
        want = 0.0
        for s in range(3):
            for c in range(5):
                want += math.exp(p[row, s, c]) * (p[row, s, c].item() - q[row, s, c].item())
        assert math.isclose(got[row].item(), want, rel_tol=1e-5)


def test_each_half_moves_one_side():
    torch.manual_seed(0)
    posterior, prior = (torch.randn(2, 4, 8) * 3).requires_grad_(), torch.randn(2, 4, 8).requires_grad_()
    dyn, rep = balanced_kl(mixed_log(posterior, 0.01), mixed_log(prior, 0.01), 1.0)
    assert torch.equal(dyn, rep)
    one = torch.autograd.grad(dyn.sum(), (posterior, prior), allow_unused=True)
    two = torch.autograd.grad(rep.sum(), (posterior, prior), allow_unused=True)
    assert one[0] is None
    assert one[1].abs().sum() > 0
    assert two[0].abs().sum() > 0
    assert two[1] is None


def test_below_the_free_nats_nothing_pulls():
    posterior = torch.zeros(1, 2, 4, requires_grad=True)
    prior = torch.full((1, 2, 4), 0.1, requires_grad=True)
    dyn, rep = balanced_kl(mixed_log(posterior, 0.0), mixed_log(prior + torch.arange(4) * 0.01, 0.0), 1.0)
    assert dyn.tolist() == rep.tolist() == [1.0]
    (dyn + rep).sum().backward()
    assert not prior.grad.any()
    assert not posterior.grad.any()
