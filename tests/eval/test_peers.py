"""Our statistics beside those of the field's own libraries, where they are installed: `pip install craik[peers]`."""

import numpy as np
import pytest

from craik.eval.card.pictures import psnr, ssim
from craik.eval.stats import iqm, probability_of_improvement
from tests.eval.test_published import human_normalised


def test_rliable():
    metrics = pytest.importorskip("rliable.metrics")
    runs = human_normalised().T  # theirs are [runs, games]
    others = runs[::-1] * np.linspace(0.7, 1.2, runs.shape[1])
    assert iqm(runs) == pytest.approx(metrics.aggregate_iqm(runs), abs=1e-12)
    ours = probability_of_improvement(runs.T, others.T)
    assert ours == pytest.approx(metrics.probability_of_improvement(runs, others), abs=1e-12)


def test_scikit_image():
    metrics = pytest.importorskip("skimage.metrics")
    rng = np.random.default_rng(0)
    true = rng.integers(0, 256, (2, 24, 24, 3))
    ours = np.clip(true + rng.integers(-40, 41, true.shape), 0, 255)
    for n in range(2):
        theirs = metrics.structural_similarity(
            true[n], ours[n], win_size=7, channel_axis=-1, data_range=255, use_sample_covariance=False
        )
        assert ssim(ours, true)[n] == pytest.approx(theirs, abs=1e-6)
        theirs = metrics.peak_signal_noise_ratio(true[n], ours[n], data_range=255)
        assert psnr(ours, true)[n] == pytest.approx(theirs, abs=1e-5)
