"""Axis F: formulas against slow twins, and pretenders that draw badly, vanish, or average."""

import numpy as np
import pytest

from craik.eval.card.crowds import CLIP, clips, features, frechet, kernel_distance
from craik.eval.card.exam import sit
from craik.eval.card.fidelity import crowd_scores, dpsnr_score, fidelity_scores, imagined, truth
from craik.eval.card.instrument import Parsed, Told
from craik.eval.card.pictures import C1, C2, moving, mpsnr, psnr, ssim
from craik.eval.card.state import errors, floors
from craik.eval.card.subject import Subject
from craik.eval.pretend import Frozen, IgnoredActions, ShuffledActions
from craik.eval.pretenders.actions import Mirrored
from craik.eval.pretenders.laws import Drifting
from craik.eval.pretenders.looks import Blurred, Noisy
from craik.worlds.oracle import Oracle


@pytest.fixture(scope="module")
def exam():
    return sit("craik/Bounce-v0", 24, seed=2_000_001, horizon=16, futures=2, size=32)


@pytest.fixture(scope="module")
def oracle():
    return Oracle.of("craik/Bounce-v0", "both", 32)


@pytest.fixture(scope="module")
def crowd(exam):
    path = truth(exam)

    def measure(model):
        return {s.id: s for s in crowd_scores(path, imagined(Subject(model), exam))}

    return measure


def scores(model, exam, nulls=()):
    return {s.id.partition(":")[0]: s for s in fidelity_scores(Subject(model), exam, None, list(nulls))}


def near(model, exam, name, h):
    ours, true = imagined(Subject(model), exam), truth(exam)[:, 1:]
    return {"psnr": psnr, "ssim": ssim}[name](ours[:, h - 1], true[:, h - 1]).mean()


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def test_psnr_by_hand():
    a = np.zeros((2, 4, 4, 3), np.uint8)
    b = a.copy()
    b[1] = 51  # a fifth of the range: MSE .04
    np.testing.assert_allclose(psnr(a, b), [60, 10 * np.log10(1 / 0.04)], atol=1e-4)
    where = np.zeros((2, 4, 4), bool)
    where[:, 0, 0] = True
    b[1] = 0
    b[1, 0, 0, 0] = 255  # one colour of the one pixel that counts
    np.testing.assert_allclose(psnr(a, b, where), [60, 10 * np.log10(3)], atol=1e-4)


def test_what_moves_and_its_neighbours():
    before, now = np.full((1, 6, 6, 3), 100, np.uint8), np.full((1, 6, 6, 3), 100, np.uint8)
    now[0, 2, 3, 1] = 110
    now[0, 5, 0] = 103  # grain, not motion
    expected = np.zeros((6, 6), bool)
    expected[1:4, 2:5] = True
    np.testing.assert_array_equal(moving(now, before)[0], expected)


def test_what_is_imagined_to_move_is_not_free():
    still = np.zeros((1, 16, 16, 3), np.uint8)
    ghost = still.copy()
    ghost[0, 4, 4] = 255
    assert mpsnr(ghost, still, still, still) < psnr(ghost, still) - 10
    assert mpsnr(still, still, still, still) == 60


def test_ssim_is_its_slow_twin():
    a, b = noise(0, 2, 11, 12, 3), noise(1, 2, 11, 12, 3) // 2 + 30
    for n in range(2):
        found = []
        for i in range(11 - 6):
            for j in range(12 - 6):
                for c in range(3):
                    x, y = (z[n, i : i + 7, j : j + 7, c] / 255 for z in (a, b))
                    covary = ((x - x.mean()) * (y - y.mean())).mean()
                    top = (2 * x.mean() * y.mean() + C1) * (2 * covary + C2)
                    found.append(top / ((x.mean() ** 2 + y.mean() ** 2 + C1) * (x.var() + y.var() + C2)))
        assert ssim(a, b)[n] == pytest.approx(np.mean(found), abs=1e-9)
    np.testing.assert_allclose(ssim(a, a), 1, atol=1e-12)


def test_frechet_of_normals_by_hand():
    draw = np.random.default_rng(0)
    x = draw.standard_normal((400, 3))
    x = (x - x.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T  # mean 0 and covariance 1, exactly
    assert frechet(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet(x, x + np.array([1, 2, 0])) == pytest.approx(5)
    assert frechet(x, x * [1, 1, 3]) == pytest.approx(4)  # (3 - 1)^2 of one direction


def test_kernel_distance_is_its_slow_twin_and_unbiased():
    draw = np.random.default_rng(0)
    x, y = draw.standard_normal((5, 2, 3)), draw.standard_normal((5, 2, 3)) + 1

    def k(a, b):
        return np.mean([(p @ q / 3 + 1) ** 3 for p in a for q in b])

    pairs = [(i, j) for i in range(5) for j in range(5) if i != j]
    slow = np.mean([k(x[i], x[j]) + k(y[i], y[j]) - k(x[i], y[j]) - k(x[j], y[i]) for i, j in pairs])
    assert kernel_distance(x, y).mean() == pytest.approx(slow)
    same = [kernel_distance(*draw.standard_normal((2, 20, 1, 3))).mean() for _ in range(200)]
    assert abs(np.mean(same)) < 3 * np.std(same) / np.sqrt(200)


def test_clips_and_features_are_fixed():
    film = noise(0, 2, 17, 16, 16, 3)
    cut = clips(film)
    assert cut.shape == (2, 2, CLIP, 16, 16, 3)
    np.testing.assert_array_equal(cut[1, 1, 0], film[1, 8])
    found = features(cut)
    assert found.shape == (2, 2, 192)
    np.testing.assert_allclose(features(cut[:1]), found[:1], rtol=1e-5)
    assert features(film[:, :3][:, None]).shape == (2, 1, 192)  # shorter than the filters are


@pytest.mark.parametrize("world", ["craik/Bounce-v0", "craik/Rooms-v0"])
def test_the_oracle_is_perfect(world):
    exam = sit(world, 10, seed=2_000_001, horizon=8, futures=2, size=32)
    oracle = Oracle.of(world, "both", 32)
    nulls = [(Subject(make(oracle), n), None) for n, make in (("frozen", Frozen), ("ignored", IgnoredActions))]
    found = scores(oracle, exam, nulls)
    assert len(found) == 3 * 4 + 3 + bool(exam.world.POINTS)
    for name, score in found.items():
        assert np.isfinite(score.values).all(), name
        assert score.mean == pytest.approx(score.floor.mean(), abs=1e-9), name
    assert found["fid.psnr@8"].mean == found["fid.mpsnr@8"].mean == 60
    assert found["fid.ssim@8"].normalised == pytest.approx(1)
    low, high = found["fid.rkd"].interval().low, found["fid.rkd"].interval().high
    assert low < 0 < high
    frozen = scores(Frozen(oracle), exam, nulls)
    assert frozen["act.dpsnr@8"].mean == pytest.approx(0, abs=0.1)
    assert frozen["fid.psnr@8"].normalised <= 0


def test_a_model_without_pictures_is_not_asked(exam):
    assert fidelity_scores(Subject(Oracle.of(exam.id)), exam, None, []) == []


def test_blur_costs_likeness_and_nothing_else(exam, oracle, crowd):
    blurred = Blurred(oracle)
    assert near(blurred, exam, "psnr", 8) <= 35
    assert crowd(blurred)["fid.rfd:ar"].mean > 5 * crowd(oracle)["fid.rfd:ar"].mean
    places = Parsed(exam)
    gap = [errors(Subject(m), exam, places).mean() for m in (oracle, blurred)]
    assert gap[0] == pytest.approx(floors(Subject(oracle), exam, places).mean())
    assert gap[1] < 0.5 / 32  # half a pixel
    assert errors(Subject(blurred), exam, Told(exam)).max() < 1e-6
    lost = [dpsnr_score(Subject(m), exam, []).mean for m in (oracle, blurred)]
    assert lost[1] < lost[0] / 3  # this one depends on likeness: why it is read beside it


def test_grain_costs_structure_and_nothing_else(exam, oracle):
    grainy = Noisy(oracle)
    assert near(grainy, exam, "ssim", 8) < 0.7
    assert errors(Subject(grainy), exam, Parsed(exam)).mean() < 0.5 / 32
    assert errors(Subject(grainy), exam, Told(exam)).max() < 1e-6


def test_crowds_are_blind_to_which_action_did_what(exam, oracle, crowd):
    true, standing = crowd(oracle), crowd(Frozen(oracle))
    assert standing["fid.rkd:ar"].normalised == pytest.approx(0, abs=1e-9)
    for make in (ShuffledActions, Mirrored, IgnoredActions):
        found = crowd(make(oracle))
        assert found["fid.rfd:ar"].normalised > 0.9
        assert found["fid.rkd:ar"].interval().low < true["fid.rkd:ar"].interval().high
    assert dpsnr_score(Subject(Mirrored(oracle)), exam, []).mean > 0  # any response counts, the wrong one too


def test_likeness_falls_with_blur_and_drift(exam, oracle):
    for name in ("psnr", "ssim"):
        blur = [near(Blurred(oracle, s), exam, name, 8) for s in (2.0, 1.0, 0.5)]
        assert blur == sorted(blur)
    drift = [near(Drifting(oracle, r), exam, "psnr", 8) for r in (0.03, 0.01, 0.003, 0.0)]
    assert drift == sorted(drift)
