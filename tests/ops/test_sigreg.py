"""SIGReg against the Epps-Pulley integral derived again, by hand and by brute force."""

import math

import numpy as np
import pytest
import torch

from craik.ops.sigreg import directions, epps_pulley, sigreg


def closed_form(x: np.ndarray) -> float:
    """N times the integral over the whole line, term by term.

    With phi_N(t) = mean exp(i t x_j), |phi_N - e^{-t^2/2}|^2 e^{-t^2/2} expands into three Gaussian integrals:
    pairs of samples, samples with the normal, the normal with itself.
    """
    n = len(x)
    pairs = math.sqrt(2 * math.pi) * np.exp(-((x[:, None] - x[None]) ** 2) / 2).sum() / n**2
    cross = 2 * math.sqrt(math.pi) * np.exp(-(x**2) / 4).sum() / n
    alone = math.sqrt(2 * math.pi / 3)
    return n * (pairs - cross + alone)


def quadrature(x: np.ndarray, reach: float, points: int) -> float:
    """N times the integral over [-reach, reach], point by point, with complex numbers and rectangles."""
    total, step = 0.0, 2 * reach / points
    for k in range(points):
        t = -reach + (k + 0.5) * step
        difference = np.exp(1j * t * x).mean() - math.exp(-t * t / 2)
        total += abs(difference) ** 2 * math.exp(-t * t / 2) * step
    return len(x) * total


CLOUDS = {
    "normal": lambda r: r.standard_normal(300),
    "collapsed": lambda r: np.full(300, 0.1),
    "narrow": lambda r: 0.3 * r.standard_normal(300),
    "wide": lambda r: 3 * r.standard_normal(300),
    "shifted": lambda r: 1 + r.standard_normal(300),
    "uniform": lambda r: r.uniform(-math.sqrt(3), math.sqrt(3), 300),
}


@pytest.mark.parametrize("name", CLOUDS)
def test_the_closed_form_the_quadrature_and_ours_agree(name):
    x = CLOUDS[name](np.random.default_rng(0))
    whole = closed_form(x)
    assert quadrature(x, 8.0, 4000) == pytest.approx(whole, rel=1e-5)
    ours = epps_pulley(torch.from_numpy(x)[:, None], knots=401, reach=8.0)
    assert ours.item() == pytest.approx(whole, rel=1e-5)
    # The published 17 points on [0, 3]: cutting the line at 3 loses less than 300 * 2 * integral_3^inf 4 e^{-t^2/2}.
    published = epps_pulley(torch.from_numpy(x)[:, None])
    assert published.item() == pytest.approx(quadrature(x, 3.0, 4000), rel=0.02, abs=0.02)
    assert 0 <= whole - quadrature(x, 3.0, 4000) < 300 * 2 * 4 * 0.00338


def test_its_mean_over_normal_samples_is_what_the_docstring_says():
    samples = torch.randn(200, 2000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = math.sqrt(2 * math.pi) - math.sqrt(2 * math.pi / 3)
    assert epps_pulley(samples, knots=200, reach=8.0).mean().item() == pytest.approx(expected, rel=0.05)


def test_a_standard_normal_cloud_scores_least():
    rng = np.random.default_rng(1)
    along = directions(8, 256, torch.Generator().manual_seed(0))
    normal = rng.standard_normal((500, 8))
    flat = normal * np.array([1, 1, 1, 1, 0, 0, 0, 0])
    others = {
        "collapsed to a point": np.zeros((500, 8)),
        "collapsed to a line": np.outer(rng.standard_normal(500), np.ones(8)),
        "half the dimensions": flat,
        "too small": 0.3 * normal,
        "too large": 3 * normal,
        "a cube": rng.uniform(-1, 1, (500, 8)),
    }
    least = sigreg(torch.from_numpy(normal), along).item()
    assert least == pytest.approx(1.06, abs=0.35)
    for name, cloud in others.items():
        assert sigreg(torch.from_numpy(cloud), along).item() > 5 * least, name


def test_descending_it_opens_a_collapsed_cloud():
    g = torch.Generator().manual_seed(0)
    z = (0.01 * torch.randn(256, 4, generator=g)).requires_grad_()
    optimizer = torch.optim.Adam([z], lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        sigreg(z, directions(4, 64, g)).backward()
        optimizer.step()
    spread = torch.linalg.eigvalsh(torch.cov(z.detach().T))
    assert spread.min() > 0.7
    assert spread.max() < 1.3


def test_directions_are_unit_fixed_without_a_generator_and_drawn_with_one():
    assert torch.allclose(directions(5, 7, None).norm(dim=0), torch.ones(7))
    assert torch.equal(directions(5, 7, None), directions(5, 7, None))
    g = torch.Generator().manual_seed(1)
    assert not torch.equal(directions(5, 7, g), directions(5, 7, g))
    again = torch.Generator().manual_seed(1)
    assert torch.equal(directions(5, 7, again), directions(5, 7, torch.Generator().manual_seed(1)))
