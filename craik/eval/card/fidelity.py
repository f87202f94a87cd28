"""Axis F: what is imagined, as a picture. It says nothing of what follows from what: see the axes S and A for that."""

from __future__ import annotations

import numpy as np
import torch

from craik.core.errors import SpecError
from craik.core.spec import is_image
from craik.eval.card.crowds import clips, features, frechet, kernel_distance
from craik.eval.card.exam import Exam, follow_laws
from craik.eval.card.instrument import Instrument, reading
from craik.eval.card.parse import weigh
from craik.eval.card.pictures import CEILING, mpsnr, psnr, ssim
from craik.eval.card.score import Score
from craik.eval.card.state import HORIZONS
from craik.eval.card.subject import Subject

STEP = 8
"""Steps after which the effect of other actions on the picture is looked at."""

LIKENESSES = {
    "psnr": f"PSNR of the picture, dB, at most {CEILING:.0f}",
    "mpsnr": f"PSNR of the pixels that move in truth or prediction, dB, at most {CEILING:.0f}",
    "ssim": "structural similarity, windows of 7 x 7, RGB",
}
"""What is measured picture by picture."""


def draws(subject: Subject) -> bool:
    """Whether a model says what it would see as a picture."""
    seen = subject.model.spec.obs.spaces
    return "obs" in subject.model.spec.reads and "pixels" in seen and is_image(seen["pixels"])


def imagined(subject: Subject, exam: Exam) -> np.ndarray:
    """Pictures of the lived future as it is imagined, [E, H, h, w, 3]."""
    return reading(subject, subject.dream(subject.believe(exam), exam.actions[:, 0]), "pixels")


def truth(exam: Exam) -> np.ndarray:
    """Pictures from the moment on, [E, 1 + H, h, w, 3]."""
    path = np.concatenate([exam.world.state[:, None], exam.states[:, 0]], 1)
    return exam.look("pixels", path)


def fidelity_scores(
    subject: Subject, exam: Exam, instrument: Instrument | None, nulls: list[tuple[Subject, Instrument]]
) -> list[Score]:
    """`fid.psnr`, `fid.mpsnr` and `fid.ssim` @h, `fid.rfd`, `fid.rkd`, `act.dpsnr@8`, and `state.parse_fail`.

    Empty for a model that draws no pictures. Of the nulls, those that draw are asked; Frechet and kernel distances
    have one of their own, the picture of the moment that stands still, for a model that ignores actions is as good as
    the truth there.

    Args:
        subject: who is judged.
        exam: what on; worlds of pictures as large as the model's.
        instrument: not used: pictures are compared as they are.
        nulls: models that know nothing.
    """
    if not draws(subject):
        return []
    path, ours = truth(exam), imagined(subject, exam)
    others = {s.name: imagined(s, exam) for s, _ in nulls if draws(s)}
    return [
        *_near(path, ours, others),
        *crowd_scores(path, ours),
        dpsnr_score(subject, exam, [s for s, _ in nulls if draws(s)]),
        *_lost(exam, path, ours),
    ]


def _near(path: np.ndarray, ours: np.ndarray, others: dict[str, np.ndarray]) -> list[Score]:
    """The three likenesses picture by picture, at every horizon. Films [E, 1 + H, ...] and [E, H, ...]."""

    def measure(name: str, film: np.ndarray, h: int) -> np.ndarray:
        now, true = film[:, h - 1], path[:, h]
        if name == "mpsnr":
            return mpsnr(now, true, film[:, h - 2] if h > 1 else path[:, 0], path[:, h - 1])
        return psnr(now, true) if name == "psnr" else ssim(now, true)

    return [
        Score(
            f"fid.{name}@{h}:ar",
            "F",
            measure(name, ours, h),
            more=True,
            says=f"{says}, after {h} imagined steps",
            floor=measure(name, path[:, 1:], h),
            nulls={k: measure(name, v, h) for k, v in others.items()},
        )
        for h in HORIZONS
        if h < path.shape[1]
        for name, says in LIKENESSES.items()
    ]


def crowd_scores(path: np.ndarray, ours: np.ndarray) -> list[Score]:
    """`fid.rfd:ar` and `fid.rkd:ar` of films from the moment on, [E, 1 + H, ...], and imagined ones [E, H, ...].

    What is imagined in one half of the episodes is compared with what is true in the other half, and the other way
    round. The floor is the truth in place of what is imagined: as many clips, of the same episodes, so its bias is the
    same. The values of `fid.rfd` are the two ways round, which are not independent; those of `fid.rkd` are of pairs of
    episodes, one of either half, which are.

    Raises:
        SpecError: if there are fewer than 6 episodes.
    """
    if len(ours) < 6:
        raise SpecError(f"{len(ours)} episodes are too few to compare crowds", "ask for 6 moments or more")
    still = np.repeat(path[:, :1], ours.shape[1], 1)
    real, drawn, null = (features(clips(film)) for film in (path[:, 1:], ours, still))
    half = len(real) // 2
    first, second = slice(0, half), slice(half, 2 * half)
    sides = ((first, second), (second, first))

    def rfd(x: np.ndarray) -> np.ndarray:
        return np.array([frechet(*(z.reshape(-1, z.shape[-1]) for z in (x[a], real[b]))) for a, b in sides])

    def rkd(x: np.ndarray) -> np.ndarray:
        return np.mean([kernel_distance(x[a], real[b]) for a, b in sides], 0)

    number = half * real.shape[1]
    says = f"on random features, {number} clips against {number} of other episodes; blind to which action did what"
    return [
        Score(
            f"fid.{name}:ar",
            "F",
            measure(drawn),
            more=False,
            says=f"{what} {says}",
            floor=measure(real),
            nulls={"still": measure(null)},
        )
        for name, measure, what in (
            ("rfd", rfd, "Frechet distance (biased: compare with the floor)"),
            ("rkd", rkd, "unbiased kernel distance"),
        )
    ]


def dpsnr_score(subject: Subject, exam: Exam, nulls: list[Subject]) -> Score:
    """`act.dpsnr@h:ar`: PSNR(x, x_hat(a)) - PSNR(x, x_hat(a')), a' being what was done in another episode.

    Genie's Delta_t PSNR (Bruce et al. 2024). Any response raises it, even one the wrong way round, and it grows with
    PSNR itself: read it beside `fid.psnr` and never alone.
    """
    step = min(STEP, exam.shape[2])
    others = torch.roll(exam.actions[:, 0, :step], 1, 0)
    true = exam.look("pixels", exam.states[:, 0, step - 1])
    states, _, _ = follow_laws(exam.world, others[:, None].numpy())
    else_true = exam.look("pixels", states[:, 0, -1])

    def gap(who: Subject) -> np.ndarray:
        belief, seen = who.believe(exam), []
        for actions in (exam.actions[:, 0, :step], others):
            seen.append(reading(who, who.dream(belief, actions)[:, -1:], "pixels")[:, 0])
        return psnr(seen[0], true) - psnr(seen[1], true)

    return Score(
        f"act.dpsnr@{step}:ar",
        "A",
        gap(subject),
        more=True,
        says=f"PSNR after {step} steps with the true actions less that with another episode's, dB",
        floor=psnr(true, true) - psnr(else_true, true),
        nulls={s.name: gap(s) for s in nulls},
    )


def _lost(exam: Exam, path: np.ndarray, ours: np.ndarray) -> list[Score]:
    """`state.parse_fail:ar`: frames in which a thing has under 50 % or over 150 % of the pixels it truly has."""
    points = exam.world.POINTS
    if not points:
        return []
    e, h = ours.shape[:2]
    true, drawn = (
        weigh(film.reshape(-1, *film.shape[2:]), points)[1].reshape(e, h, -1) for film in (path[:, 1:], ours)
    )
    least, most = true.min(1, keepdims=True), true.max(1, keepdims=True)  # in this episode: keys may be picked up

    def failed(mass: np.ndarray) -> np.ndarray:
        return ((mass < 0.5 * least) | (mass > 1.5 * np.maximum(most, 1.0))).any(-1).mean(1)

    return [
        Score(
            "state.parse_fail:ar",
            "S",
            failed(drawn),
            more=False,
            says="share of imagined frames in which a thing has under 50 % or over 150 % of the pixels it truly has",
            instrument="parsed",
            floor=failed(true),
        )
    ]
