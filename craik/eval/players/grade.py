"""The card of a player without a model: axis D on the moments, and by the formulas, that models are asked by."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from craik.core.errors import SpecError, UnknownName
from craik.data.coverage import Coverage
from craik.eval.bench.rounds import Tell, within
from craik.eval.card.card import Card, plain
from craik.eval.card.cost import Machine
from craik.eval.card.covered import distances
from craik.eval.card.decisions import Budget, outcome_scores, yardsticks
from craik.eval.card.exam import Exam
from craik.eval.card.grade import SIZES, check, set_exam
from craik.eval.card.instrument import Told
from craik.eval.card.live import act_out
from craik.eval.card.nulls import nulls_for
from craik.eval.card.score import Score
from craik.eval.players.player import Player
from craik.train.run import commit
from craik.worlds.exact import ExactWorld
from craik.worlds.splits import Split

AXES = "DE"
"""What can be asked of it: how it decides, and what that costs. The other axes are about imagining."""

REPEATS, DECISIONS, WARM = 5, 100, 10
"""Repeats that decisions are timed in, how many a repeat, and how many before the clock starts."""


@dataclasses.dataclass(frozen=True)
class Pupil:
    """A player that has learned, and what a card says of it.

    Attributes:
        name: for tables.
        player: it.
        world: the id of the world that its data is of, the one in which it can be asked.
        facts: what it learned from, and what that cost.
    """

    name: str
    player: Player
    world: str
    facts: Mapping[str, Any]


def grade_player(
    pupil: Pupil,
    world: str,
    seconds: float = math.inf,
    *,
    seed: int = 1,
    size: str = "smoke",
    axes: str = AXES,
    split: Split | None = None,
    salt: int = 0,
    equality: str = "E1",
    known: Coverage | None = None,
    tell: Tell = lambda axis, done, asked: None,
    now: Callable[[], float] = time.perf_counter,
) -> Card:
    """Grades a player in the world whose data it learned from, as `craik.eval.bench.rounds.grade_within` a model.

    Args:
        pupil: who.
        world, seconds, seed, size, axes, split, salt, equality, known, tell, now: see there. Axes that are not its
            are left blank.

    Raises:
        UnknownName: if there is no such size, axis or level of equality.
        SpecError: in another world.
    """
    begun = now()
    check(axes, equality)
    if size not in SIZES:
        raise UnknownName("size of a score card", size, SIZES)
    if world != pupil.world:
        raise SpecError(
            f"{pupil.name} has learned from data of {pupil.world} and knows no other world", "learn from data of this"
        )
    exam, about = set_exam(world, SIZES[size], seed, salt, split=split, views=("state",))
    mine = "".join(a for a in axes if a in AXES)
    scores, facts = within(
        len(exam.states),
        lambda axis, rows: player_scores(pupil.player, exam.part(rows)),
        lambda share: cost_of_deciding(pupil.player, exam, share),
        mine, seconds, begun, tell, now,
    )  # fmt: skip
    told = {**about, "model": "none", "equality": equality, "parameters": _count(pupil.player), **pupil.facts}
    told |= {"commit": commit(), "machine": str(Machine.here()), **facts}
    if known is not None:
        told["distance"] = [plain(x) for x in np.quantile(distances(exam, known)[:, 0].mean(1), (0.1, 0.5, 0.9))]
    return Card(pupil.name, world, seed, size, "none", tuple(scores), told)


def player_scores(player: Player, exam: Exam, budget: Budget | None = None) -> list[Score]:
    """`dec.return:cl`, `dec.regret:cl` and `dec.success:cl` of a player: see `decisions.outcome_scores`.

    Truth and nulls are those of models: the planner in the exact simulator, and in models that know nothing.

    Args:
        player: who decides.
        exam: where from; of it, `budget.tasks` moments.
        budget: of the planner; the steps are the player's, too.
    """
    budget = budget or Budget()
    exam = exam.part(slice(budget.tasks))
    nulls = [subject for subject, _ in nulls_for(exam, Told(exam))]
    best, others = yardsticks(exam, nulls, budget)
    ours = act_out(exam, budget.steps, deciding(player))
    aim = "for the goal shown" if player.aimed else "for the usual reward"
    return outcome_scores(exam, budget, ours, best, others, f"without a model ({aim})")


def deciding(player: Player, seed: int = 0) -> Callable[[ExactWorld], np.ndarray]:
    """How a player decides in live worlds: by the state view, and that of the goal, if it has to be told."""
    generator = torch.Generator().manual_seed(seed)

    def decide(live: ExactWorld) -> np.ndarray:
        seen, goal = (torch.as_tensor(live.look("state", x, live.factors)) for x in (live.state, live.goal))
        return player.act(seen, goal if player.aimed else goal[:, :0], generator).numpy()

    return decide


def cost_of_deciding(player: Player, exam: Exam, share: float = math.inf) -> list[Score]:
    """`cost.decision_p50`, `cost.decision_p95`, `cost.parameters` and `cost.bytes`; see `craik.eval.card.cost`.

    Args:
        player: whose.
        exam: lends a moment.
        share: seconds, at most; fewer decisions are timed then.
    """
    live, decide = exam.world.select(np.arange(1)), deciding(player)
    begun = time.perf_counter()
    for _ in range(WARM):
        decide(live)
    each = (time.perf_counter() - begun) / WARM
    count = DECISIONS if math.isinf(share) else max(1, min(DECISIONS, int(share / max(each * REPEATS, 1e-9))))
    taken = np.zeros((REPEATS, count))
    for repeat in range(REPEATS):
        for i in range(count):
            begun = time.perf_counter()
            decide(live)
            taken[repeat, i] = time.perf_counter() - begun
    numbers = [*player.parameters(), *player.buffers()]
    rows = {
        f"decision_p{part}": (
            1e3 * np.percentile(taken, part, axis=1),
            f"milliseconds of one decision, {part} % are faster; {count} timed, on {Machine.here()}",
        )
        for part in (50, 95)
    }
    rows |= {
        "parameters": (np.array([_count(player)]), "numbers that are learned"),
        "bytes": (np.array([sum(x.numel() * x.element_size() for x in numbers)]), "of its numbers in memory"),
    }
    return [Score(f"cost.{k}", "E", np.asarray(v, float), more=False, says=says) for k, (v, says) in rows.items()]


def _count(player: Player) -> int:
    return sum(p.numel() for p in player.parameters() if p.requires_grad)
