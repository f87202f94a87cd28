import math

import pytest
import torch

from craik.ops.two_hot import expectation, symexp_bins, two_hot, two_hot_loss


def plain_two_hot(x: float, bins: list[float]) -> list[float]:
    """Equation 10 of the paper, for one number."""
    x = min(max(x, bins[0]), bins[-1])
    k = sum(b < x for b in bins)  # the first bin not below x
    weights = [0.0] * len(bins)
    if k == 0:
        weights[0] = 1.0
        return weights
    weights[k - 1] = abs(bins[k] - x) / abs(bins[k] - bins[k - 1])
    weights[k] = abs(bins[k - 1] - x) / abs(bins[k] - bins[k - 1])
    return weights


def test_bins_are_those_of_the_paper_and_symmetric():
    bins = symexp_bins(255)
    assert len(bins) == 255
    assert torch.equal(bins, -bins.flip(0))
    plain = [math.copysign(math.exp(abs(-20 + 40 * i / 254)) - 1, -20 + 40 * i / 254) for i in range(255)]
    assert torch.allclose(bins, torch.tensor(plain), rtol=1e-4, atol=1e-5)


def test_twin():
    bins = symexp_bins(41)
    x = torch.tensor([-1e12, -500.3, -1.0, -1e-3, 0.0, 0.4, 1.0, 37.0, 2e5, 1e12, bins[7].item()])
    hot = two_hot(x, bins)
    for row, number in zip(hot, x.tolist()):
        assert torch.allclose(row, torch.tensor(plain_two_hot(number, bins.tolist())), atol=1e-5)
    assert torch.equal(hot.sum(-1), torch.ones(len(x)))


def test_expectation_undoes_it():
    bins = symexp_bins(255)
    x = torch.tensor([-1500.0, -16.3, -0.2, 0.0, 1.0, 9.7, 4000.0])
    assert torch.allclose(expectation(two_hot(x, bins).clamp(min=1e-30).log(), bins), x, rtol=1e-4, atol=1e-4)


def test_equal_chances_mean_exactly_zero():
    bins = symexp_bins(255)
    assert expectation(torch.randn(3, 1).expand(3, 255), bins).tolist() == [0.0, 0.0, 0.0]
    mirrored = torch.randn(7, 127)
    logits = torch.cat([mirrored, torch.randn(7, 1), mirrored.flip(-1)], -1)
    assert expectation(logits, bins).tolist() == [0.0] * 7


def test_loss_is_cross_entropy_with_the_two_hot():
    torch.manual_seed(0)
    bins, logits, x = symexp_bins(41), torch.randn(50, 41), torch.randn(50) * 100
    plain = -(two_hot(x, bins) * logits.log_softmax(-1)).sum(-1)
    assert torch.allclose(two_hot_loss(logits, x, bins), plain, atol=1e-5)


def test_an_even_number_of_bins_is_refused():
    with pytest.raises(ValueError, match="odd"):
        symexp_bins(254)
