"""`craik bench`: score cards of one model in several worlds."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import tyro
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from craik.cli.candidate import candidate
from craik.cli.learner import learner
from craik.core.errors import CraikError, SpecError, UnknownName
from craik.eval.bench.worlds import BENCHES, short_name, world_id
from craik.eval.card.card import Card, save
from craik.eval.card.grade import AXES
from craik.eval.players.learn import UPDATES


def run(argv: list[str]) -> None:
    """Parses the command line and grades."""
    tyro.cli(bench, args=argv, prog="craik bench")


def bench(
    which: tyro.conf.Positional[Literal["smoke", "core", "card"]],
    run: str = "",
    worlds: tuple[str, ...] = (),
    seeds: int = 1,
    split: str = "",
    seconds: float = 0,
    axes: str = "".join(AXES),
    equality: str = "E1",
    out: Path = Path("runs/cards"),
    player: str = "",
    data: Path | None = None,
    train_seed: int = 1,
    updates: int = UPDATES,
) -> None:
    """Grades a model, or a player without one, in several worlds and writes a card for each, under OUT/NAME.

    Args:
        which: smoke (bounce and tiles, few moments), core (four worlds) or card (all twelve).
        run: a run's folder, or a pretender ("oracle", "frozen" ...).
        worlds: other ones than those of the benchmark, as: --worlds rooms swing.
        seeds: exams of each world.
        split: which episodes (`craik.worlds.splits`), as test-extrap; by default test-iid. Those of models that learned
            from a tier of data have its constants, so that whoever is to be compared with them has to name one, too.
        seconds: for a card, at most; each axis then asks as many moments as it has time for. 0 for no limit.
        axes: which, by their letters.
        equality: at which level the models to compare are equal, for the record: E1 data; E2 data and training
            operations; E3 data and time on the same machine; E4 data and all operations, those of use included.
        out: where cards are written.
        player: instead of a run, a player without a model that learns from data now: clone (behaviour cloning) or iql
            (implicit Q-learning). It is asked how it decides, in the world of its data.
        data: the tier that it learns from (craik collect --tier).
        train_seed: of its learning.
        updates: of its learning.
    """
    if bool(run) == bool(player):
        raise CraikError("one is graded at a time", "pass --run runs/RUN, or --player clone --data DATA")
    size = BENCHES[which].size
    asked = [world_id(name) for name in worlds or BENCHES[which].worlds]
    console = Console()
    skipped: dict[str, str] = {}
    written: list[Path] = []
    less: list[str] = []
    with Progress(
        TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.fields[says]}"), TimeElapsedColumn(),
        console=console,
    ) as bars:  # fmt: skip
        who = learner(player, data, train_seed, updates, bars) if player else candidate(run)
        for world in asked:
            asking = who.asked(world, split)
            for seed in range(1, seeds + 1):
                line = f"{short_name(world)}" + (f" exam {seed}" if seeds > 1 else "")
                bar = bars.add_task(line, total=len(axes), says="")

                def tell(axis: str, done: int, of: int, bar: Any = bar) -> None:
                    bars.update(bar, completed=axes.index(axis) + done / of, says=f"{axis} {done}/{of}")

                try:
                    card = who.grade(
                        world, seconds or math.inf,
                        seed=seed, size=size, axes=axes, equality=equality, tell=tell, **asking,
                    )  # fmt: skip
                except (SpecError, UnknownName) as error:
                    skipped[world] = error.what
                    bars.update(bar, says="skipped")
                    break
                bars.update(bar, completed=len(axes), says=f"state {card.instrument}")
                if cut(card):
                    less.append(f"asked less in {line}, for want of time: {cut(card)}")
                written.append(
                    save(card, out / who.name / "-".join(filter(None, [short_name(world), size, str(seed), split])))
                )
    for told in (*less, *(f"skipped: {world}: {reason}" for world, reason in skipped.items())):
        console.print(told, highlight=False, soft_wrap=True)
    if not written:
        home = f"it was trained in {who.home}: --worlds {short_name(who.home)}" if who.home else "pass other --worlds"
        raise CraikError(f"{who.name} fits none of these worlds", home)
    console.print(f"written: {len(written)} of {len(asked) * seeds} cards, under {out / who.name}", highlight=False)


def cut(card: Card) -> str:
    """Which axes were asked less than all, and how much; nothing if none."""
    asked, done = card.facts["asked"], card.facts["done"]
    return ", ".join(f"{axis} {done[axis]} of {asked[axis]}" for axis in asked if done[axis] < asked[axis])
