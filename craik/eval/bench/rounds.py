"""A card within a time: each axis in rounds of moments, until its share of the time is used or all have been asked."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from craik.core.model import WorldModel
from craik.data.coverage import Coverage
from craik.eval.card.card import Card
from craik.eval.card.cost import BATCHES, clock, cost_scores
from craik.eval.card.decisions import Budget
from craik.eval.card.grade import AXES, Sitting, check, prepare
from craik.eval.card.score import Score, average
from craik.eval.card.surprise import threshold
from craik.train.run import Run
from craik.worlds.splits import Split

FEWEST = 8
"""Moments of the first round, and the fewest of any: fewer are too few for an interval."""

MOST = {"M": 32, "D": Budget().tasks}
"""Moments that an axis asks at most, whatever the size."""

SHARES = {"F": 1.0, "S": 1.0, "A": 1.0, "P": 1.0, "M": 2.0, "D": 6.0, "C": 2.0, "L": 1.0, "E": 2.0}
"""Parts of the time left that an axis may use, beside those still to come: as the oracle's card spends it."""

ALONE = (
    *("act.idm", "cal.coverage", "cal.pit", "cal.spread_rho", "cost."),
    *(
        "dec.policy",
        "dec.mmrv",
        "dec.reversal",
        "dec.reward_rho",
        "dec.reward_pr",
        "dec.return_rho",
        "dec.return_slope",
    ),
    *("dec.done_auc", "dec.value_rho"),
)
"""Beginnings of names of metrics that are not a mean over moments, though they may have as many values."""

POOLED = ("fid.rkd",)
"""Names of metrics whose values are not one a moment, but as good as independent: their mean is unbiased anyway."""

STEPS = 200
"""Steps of a repeat in which the cost is taken, at most."""

REPEATS = 5
"""Of them."""

Round = tuple[int, Sequence[Score]]
"""How many moments, and what was found on them."""

Ask = Callable[[str, slice], list[Score]]
"""Gives the scores of an axis on some of the moments."""

Tell = Callable[[str, int, int], None]
"""Hears of an axis how many moments are done, of how many."""


def grade_within(
    model: WorldModel,
    world: str,
    seconds: float = math.inf,
    *,
    name: str = "model",
    seed: int = 1,
    size: str = "smoke",
    axes: str = "".join(AXES),
    split: Split | None = None,
    salt: int = 0,
    equality: str = "E1",
    run: Run | None = None,
    known: Coverage | None = None,
    tell: Tell = lambda axis, done, asked: None,
    now: Callable[[], float] = time.perf_counter,
) -> Card:
    """Grades a model as `craik.eval.card.grade.grade` does, within a time, if it is enough for a round an axis.

    The exam is set once and asked in parts, from the front: models that do unequally much share their first moments.
    The first round of an axis is of `FEWEST` moments and shows what one costs; then as many are asked as fit. What an
    axis leaves of its share goes to those after it. The cost (E) is timed on fewer steps instead. Without a
    limit there is one round, and the card is that of `grade`.

    Args:
        model, world, name, seed, size, axes, split, salt, equality, run, known: see `grade`.
        seconds: for the whole card, setting the exam included.
        tell: hears how far it is.
        now: the clock.

    Returns:
        The card. Its facts say, by axis, how many moments were asked for, how many were done in which rounds, and in
        how many seconds.
    """
    begun = now()
    check(axes, equality)
    sitting = prepare(model, world, name=name, seed=seed, size=size, split=split, salt=salt)
    shown = sitting.film()
    scores, facts = within(
        len(sitting.exam.states), sitting.ask, lambda share: _cost(sitting, share), axes, seconds, begun, tell, now
    )
    return sitting.card(scores, film=shown, equality=equality, run=run, known=known, **facts)


def within(
    moments: int,
    ask: Ask,
    cost: Callable[[float], list[Score]],
    axes: str,
    seconds: float,
    begun: float,
    tell: Tell,
    now: Callable[[], float],
) -> tuple[list[Score], dict[str, Any]]:
    """Asks every axis in rounds, for as long as there is time; see `grade_within`.

    Args:
        moments: how many there are to ask about.
        ask: gives the scores of an axis on some of them.
        cost: gives those of the cost, in so many seconds.
        axes, seconds, tell, now: see `grade_within`.
        begun: when the clock was started.

    Returns:
        The scores, and for the card what was asked and done, and in what time.
    """
    scores: list[Score] = []
    most = {axis: min(moments, MOST.get(axis, moments)) for axis in axes if axis != "E"}
    rounds: dict[str, list[int]] = {}
    spent: dict[str, float] = {}
    for i, axis in enumerate(axes):
        share = (seconds - (now() - begun)) * SHARES[axis] / sum(SHARES[a] for a in axes[i:])
        start = now()
        if axis == "E":
            scores += cost(share)
            tell(axis, 1, 1)
        else:
            found = _rounds(ask, axis, most[axis], moments, share, tell, now)
            scores += join(found)
            rounds[axis] = [n for n, _ in found]
        spent[axis] = round(now() - start, 2)
    return scores, {
        "asked": most,
        "done": {axis: sum(each) for axis, each in rounds.items()},
        "rounds": rounds,
        "limit": seconds if math.isfinite(seconds) else None,
        "spent": spent,
        "seconds": round(now() - begun, 2),
    }


def next_round(left: int, time_left: float, cost: float | None) -> int:
    """Moments of the next round; 0 to stop.

    As many as fit in the time, but no fewer than `FEWEST` (of the last ones, as many as there are), and leaving none or
    `FEWEST` behind. It follows that a round may take somewhat longer than there is.

    Args:
        left: moments not asked yet.
        time_left: seconds.
        cost: seconds of a moment; None before the first round, which is always asked.
    """
    if cost is None:
        size = left if math.isinf(time_left) else min(FEWEST, left)
    else:
        size = left if cost * left <= time_left else max(int(time_left / cost), 0)
        if size < min(FEWEST, left):
            return 0
    if 0 < left - size < FEWEST:
        size = left - FEWEST if left >= 2 * FEWEST else left
    return size


def join(rounds: Sequence[Round]) -> list[Score]:
    """One list of scores from those of several rounds on different moments.

    Values, floors and nulls that stand one for a moment are put in a row: means and intervals are then those over all
    moments. What is no mean over moments (a correlation, a Frechet distance, a time) is that of the largest round, and
    says so. The magnitude at which surprise sets in is found anew.
    """
    if len(rounds) == 1:
        return list(rounds[0][1])
    joined = []
    for id in dict.fromkeys(score.id for _, scores in rounds for score in scores):
        parts = [(n, score) for n, scores in rounds for score in scores if score.id == id]
        if all(pools(score, n) for n, score in parts):
            joined.append(_pooled([score for _, score in parts]))
        else:
            n, score = max(parts, key=lambda part: part[0])
            joined.append(dataclasses.replace(score, says=f"{score.says}; of the largest round, {n} moments"))
    return [_threshold(s, joined) if s.id.startswith("voe.delta50.") else s for s in joined]


def pools(score: Score, moments: int) -> bool:
    """Whether the values of a score on so many moments can be put beside those on others."""
    if score.id.startswith(POOLED):
        return True
    return not len(score.drawn) and len(score.values) % moments == 0 and not score.id.startswith(ALONE)


def _rounds(
    ask: Ask, axis: str, most: int, moments: int, share: float, tell: Tell, now: Callable[[], float]
) -> list[Round]:
    found: list[Round] = []
    begun, done = now(), 0
    while done < most:
        used = now() - begun
        size = next_round(most - done, share - used, used / done if done else None)
        if not size:
            break
        found.append((size, ask(axis, slice(None) if size == moments else slice(done, done + size))))
        done += size
        tell(axis, done, most)
    return found


def _cost(sitting: Sitting, share: float) -> list[Score]:
    """The cost, in repeats short enough for the time."""
    if math.isinf(share):
        return cost_scores(sitting.subject, sitting.exam)
    step = sum(float(clock(sitting.subject, sitting.exam, b, steps=1, repeats=1, warm=1).wall.sum()) for b in BATCHES)
    runs = REPEATS + 2  # the energy takes as long as two more: busy, and idle
    steps = max(1, min(STEPS, int(share / max(step * runs, 1e-9))))
    found = cost_scores(sitting.subject, sitting.exam, steps=steps, repeats=REPEATS, warm=min(10, steps))
    if steps == STEPS:
        return found
    return [dataclasses.replace(s, says=f"{s.says}; {steps} steps of {STEPS} timed") for s in found]


def _pooled(parts: Sequence[Score]) -> Score:
    first = parts[0]
    names = [k for k in first.nulls if all(k in s.nulls for s in parts)]
    return dataclasses.replace(
        first,
        values=np.concatenate([s.values for s in parts]),
        weights=np.concatenate([s.weights for s in parts]),
        floor=np.concatenate([s.floor for s in parts]),
        nulls={k: np.concatenate([s.nulls[k] for s in parts]) for k in names},
    )


def _threshold(score: Score, joined: Sequence[Score]) -> Score:
    """`voe.delta50.<kind>` from the joined `voe.<kind>@<magnitude>`."""
    kind = score.id.removeprefix("voe.delta50.").partition(":")[0]
    rows = {float(s.id.partition("@")[2].partition(":")[0]): s for s in joined if s.id.startswith(f"voe.{kind}@")}

    def at(values: Callable[[Score], np.ndarray]) -> np.ndarray:
        return np.array([threshold({m: average(values(s)) for m, s in rows.items()})])

    return dataclasses.replace(
        score,
        values=at(lambda s: s.values),
        floor=at(lambda s: s.floor),
        nulls={k: at(lambda s, k=k: s.nulls[k]) for k in score.nulls},  # type: ignore[misc]
        says=score.says.partition("; of the largest round")[0],
    )
