import math

import torch

from craik.ops.symlog import symexp, symlog


def test_twin():
    for x in (-1e4, -3.5, -1e-3, 0.0, 0.2, 1.0, 7e6):
        plain = math.copysign(math.log(abs(x) + 1), x)
        assert math.isclose(symlog(torch.tensor(x, dtype=torch.float64)).item(), plain, rel_tol=1e-12)


def test_inverse_and_slope_at_zero():
    x = torch.linspace(-50, 50, 101, dtype=torch.float64)
    assert torch.allclose(symexp(symlog(x)), x)
    x = torch.zeros(1, requires_grad=True)
    assert symlog(torch.tensor(1e-6)).item() > 0
    symlog(x + 1e-4).backward()
    assert abs(x.grad.item() - 1) < 1e-3
