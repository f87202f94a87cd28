"""How far ahead a model sees: the error of what it imagines under the true actions, against the horizon."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from craik.core import tree
from craik.core.data import Batch
from craik.core.errors import DataError, SpecError
from craik.core.model import WorldModel
from craik.core.spec import is_image
from craik.data.episode import Episode

HORIZONS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""The grid of horizons, in steps."""

AT_ONCE = 32
"""Windows imagined together."""


@dataclasses.dataclass(frozen=True)
class HorizonError:
    """Errors of one reading, open loop: the model is shown `context` steps and then only told the actions.

    Attributes:
        reading: "state", "pixels" (or what else the observation is called), or "latent".
        unit: what the errors are measured in.
        horizons: H numbers of steps.
        errors: predictor ("model", "copy last", "constant velocity") -> [E, H], the mean over each episode's windows;
            NaN where an episode is too short.
        context: steps seen before.
    """

    reading: str
    unit: str
    horizons: tuple[int, ...]
    errors: dict[str, np.ndarray]
    context: int

    @property
    def counts(self) -> np.ndarray:
        """[H] episodes behind each horizon: the same ones for every predictor."""
        return np.isfinite(self.errors["model"]).sum(0)

    def mean(self, predictor: str) -> np.ndarray:
        """[H] the mean over episodes; NaN where there is none."""
        return np.where(self.counts > 0, np.nansum(self.errors[predictor], 0) / np.maximum(self.counts, 1), np.nan)


@dataclasses.dataclass(frozen=True)
class _Windows:
    """W stretches of `context + far` steps, the short ones continued with their last step and marked by `steps`."""

    obs: dict[str, np.ndarray]  # name -> [W, context + far + 1, ...]
    action: np.ndarray  # [W, context + far, ...]
    steps: np.ndarray  # [W] true steps after the context
    episode: np.ndarray  # [W]

    def part(self, rows: slice) -> _Windows:
        obs = {k: v[rows] for k, v in self.obs.items()}
        return _Windows(obs, self.action[rows], self.steps[rows], self.episode[rows])


@torch.no_grad()
def open_loop(
    model: WorldModel,
    episodes: Sequence[Episode],
    *,
    context: int = 5,
    horizons: Sequence[int] = HORIZONS[:6],
    windows: int = 4,
    seed: int = 0,
    generator: torch.Generator | None = None,
) -> dict[str, HorizonError]:
    """The open-loop error of a model on episodes it was not trained on, beside two predictors that learn nothing.

    "copy last" repeats the last thing seen; "constant velocity" goes on as between the last two. Numbers are divided
    by their standard deviation over all that is compared (those that never change are taken as they are) and the
    error is their root mean square; images are in [0, 1] and the error is their mean square; a latent, which is looked
    at only in a model that draws nothing, is compared with what the model believes on seeing the truth, scaled as
    numbers are.

    Args:
        model: any world model that reads `obs` or `latent`.
        episodes: E held-out episodes.
        context: steps seen before the model is on its own, at least 1.
        horizons: steps ahead, rising.
        windows: stretches taken from each episode, at random places where the longest horizon fits; at the beginning
            where it fits nowhere.
        seed: of those places.
        generator: of the model's randomness; None for its mode.

    Returns:
        Observation name -> errors; for a model without decoder, "latent" -> errors. Discrete observations are left out.

    Raises:
        SpecError: if the model offers neither `obs` nor `latent`.
        DataError: if no episode is longer than the context.
    """
    drawn = "obs" in model.spec.reads
    if not drawn and "latent" not in model.spec.reads:
        raise SpecError(
            f"{type(model).__name__} offers neither obs nor latent: what it imagines cannot be compared with anything",
            "let it read one of them, or train a probe",
        )
    model.eval()
    cut = _cut(model, episodes, context, max(horizons), windows, np.random.default_rng(seed))
    pairs = [
        _imagined(model, cut.part(slice(i, i + AT_ONCE)), context, horizons, drawn, generator)
        for i in range(0, len(cut.steps), AT_ONCE)
    ]
    result = {}
    for name in pairs[0][0]:
        guess, truth = (np.concatenate([p[side][name] for p in pairs]) for side in (0, 1))
        result[name] = _compare(model, name, guess, truth, cut, context, tuple(horizons), len(episodes))
    return result


def _cut(
    model: WorldModel, episodes: Sequence[Episode], context: int, far: int, windows: int, rng: np.random.Generator
) -> _Windows:
    """Windows at random places of every episode that is longer than the context."""
    names = list(model.spec.obs.spaces)
    obs: dict[str, list[np.ndarray]] = {k: [] for k in names}
    action, steps, owner = [], [], []
    for number, episode in enumerate(episodes):
        if episode.num_steps <= context:
            continue
        for start in rng.integers(0, max(episode.num_steps - context - far, 0) + 1, windows):
            there = np.minimum(np.arange(start, start + context + far), episode.num_steps - 1)
            seen = np.minimum(np.arange(start, start + context + far + 1), episode.num_steps)
            for name in names:
                obs[name].append(episode.obs[name][seen])
            action.append(episode.action[there])
            steps.append(min(far, episode.num_steps - context - start))
            owner.append(number)
    if not owner:
        longest = max((e.num_steps for e in episodes), default=0)
        raise DataError(
            f"none of {len(episodes)} episodes is longer than the context of {context} steps (the longest: {longest})",
            "pass a shorter context=, or longer episodes",
        )
    whole = {k: np.stack(v) for k, v in obs.items()}
    return _Windows(whole, np.stack(action), np.array(steps), np.array(owner))


def _imagined(
    model: WorldModel,
    cut: _Windows,
    context: int,
    horizons: Sequence[int],
    drawn: bool,
    generator: torch.Generator | None,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Guesses [W, H, ...], and the truth at times context - 1, context and context + each horizon, [W, 2 + H, ...]."""
    device = model.device
    obs = {k: torch.as_tensor(v).to(device) for k, v in cut.obs.items()}
    action = torch.as_tensor(cut.action).to(device)
    first = torch.zeros(len(action), action.shape[1] + 1, dtype=torch.bool, device=device)
    first[:, 0] = True
    nothing = torch.zeros(action.shape[:2], device=device)
    batch = Batch(obs, action, nothing, nothing.bool(), first)
    known = batch.stretch(0, context) if drawn else batch
    beliefs = model.follow(known, generator=generator)
    future = model.rollout(beliefs[:, context], action[:, context:], generator=generator)
    times = [context - 1, context, *(context + h for h in horizons)]

    def reading(states: tree.Tree, at: int) -> dict[str, Tensor]:
        read = model.read(tree.index(states, (slice(None), at)))
        return dict(read["obs"]) if drawn else {"latent": read["latent"]}

    guesses = [reading(future, h - 1) for h in horizons]
    if drawn:
        names = [k for k, s in model.spec.obs.spaces.items() if isinstance(s, spaces.Box)]
        truth = {k: cut.obs[k][:, times] for k in names}
    else:
        names = ["latent"]
        truth = {"latent": np.stack([reading(beliefs, t)["latent"].cpu().numpy() for t in times], 1)}
    return {k: np.stack([g[k].cpu().numpy() for g in guesses], 1) for k in names}, truth


def _compare(
    model: WorldModel,
    name: str,
    guess: np.ndarray,
    truth: np.ndarray,
    cut: _Windows,
    context: int,
    horizons: tuple[int, ...],
    num_episodes: int,
) -> HorizonError:
    """Errors of the three predictors, averaged over each episode's windows."""
    image = name != "latent" and is_image(model.spec.obs.spaces[name])
    there = np.asarray(horizons)[None] <= cut.steps[:, None]  # [W, H]
    real_times = np.concatenate([np.ones((len(there), 2), bool), there], 1)
    scale = np.float64(255.0) if image else _spread(truth[real_times])
    guess, truth = guess / scale, truth / scale
    before, last, real = truth[:, :1], truth[:, 1:2], truth[:, 2:]
    ahead = np.asarray(horizons, float).reshape(1, -1, *(1,) * (truth.ndim - 2))
    straight = last + ahead * (last - before)
    straight = straight.clip(0, 1) if image else straight
    found = {"model": guess, "copy last": np.broadcast_to(last, real.shape), "constant velocity": straight}
    errors = {}
    for predictor, x in found.items():
        error = np.square(x - real).reshape(*real.shape[:2], -1).mean(2)
        error = np.where(there, error if image else np.sqrt(error), np.nan)
        errors[predictor] = np.stack([_nanmean(error[cut.episode == e]) for e in range(num_episodes)])
    unit = "mean squared error, pixels in [0, 1]" if image else "root mean squared error, in standard deviations"
    return HorizonError(name, unit, horizons, errors, context)


def _spread(x: np.ndarray) -> np.ndarray:
    """The standard deviation of each number of [n, ...]; 1 for a number that never changes."""
    std = x.astype(np.float64).std(0)
    return np.where(std > 1e-6, std, 1.0)


def _nanmean(x: np.ndarray) -> np.ndarray:
    """[W, H] -> [H], NaN where there is nothing."""
    count = np.isfinite(x).sum(0)
    return np.where(count > 0, np.nansum(x, 0) / np.maximum(count, 1), np.nan)
