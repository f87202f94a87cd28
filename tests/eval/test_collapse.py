"""Collapse figures on clouds whose answer is known."""

import pytest
import torch

from craik.eval.collapse import effective_rank, spread


def normal(n: int = 4000, d: int = 8) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(0))


def test_rank_counts_the_dimensions_in_use():
    z = normal()
    assert effective_rank(z) == pytest.approx(8, rel=0.01)
    assert effective_rank(z * torch.tensor([1.0] * 3 + [0.0] * 5)) == pytest.approx(3, rel=0.01)
    assert effective_rank(torch.outer(z[:, 0], torch.ones(8)) + 5) == pytest.approx(1, abs=1e-3)
    assert effective_rank(torch.full((100, 8), 0.3)) == 0.0


def test_rank_is_the_entropy_of_singular_values():
    z = normal(500) * torch.arange(1, 9)
    values = torch.linalg.svdvals(z - z.mean(0)).tolist()
    shares = [v / sum(values) for v in values]
    expected = torch.tensor([-p * torch.tensor(p).log() for p in shares]).sum().exp().item()
    assert effective_rank(z) == pytest.approx(expected, rel=1e-4)


def test_rank_does_not_see_scale_but_spread_does():
    z = normal()
    assert effective_rank(1e-3 * z) == pytest.approx(effective_rank(z), rel=1e-5)
    whole, small = spread(z), spread(1e-3 * z)
    assert whole.std == pytest.approx(1, rel=0.02)
    assert small.std == pytest.approx(1e-3, rel=0.02)
    assert whole.sigreg < 0.001
    assert small.sigreg == pytest.approx(0.409, abs=0.01)  # sqrt(2 pi) (1 - 2 / sqrt(2) + 1 / sqrt(3))
    assert whole.least == pytest.approx(1, rel=0.1)
    assert spread(z * torch.tensor([1.0] * 7 + [0.0])).least == pytest.approx(0, abs=1e-6)
