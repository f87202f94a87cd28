"""`craik score`: a score card for a run, or for a model that is wrong in a known way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tyro
from rich.console import Console
from rich.progress import track
from rich.table import Table

from craik.cli.candidate import candidate, questions
from craik.core.errors import CraikError
from craik.eval.card.card import Card, save
from craik.eval.card.grade import AXES, grade
from craik.eval.card.score import AXES as ABOUT
from craik.eval.card.score import average
from craik.eval.card.shift import Drop, drops
from craik.eval.card.table import markdown, short
from craik.eval.pretenders.known import pretenders
from craik.worlds.ours import OURS


def run(argv: list[str]) -> None:
    """Parses the command line and grades."""
    tyro.cli(score, args=argv, prog="craik score")


def score(
    who: tyro.conf.Positional[str],
    world: str = "",
    size: str = "smoke",
    seed: int = 1,
    axes: str = "".join(AXES),
    out: Path = Path("runs/cards"),
    shifts: bool = False,
    split: str = "",
    salt: int = 0,
    equality: str = "E1",
) -> None:
    """Grades a model in an exact world, every number beside the truth's and that of models that know nothing.

    Args:
        who: a run's folder; or a pretender ("oracle", "frozen", "shuffled" ...); or "all" for all pretenders.
        world: the exact world; a run's own by default.
        size: how much is asked: smoke or card.
        seed: of the exam.
        axes: which, by their letters.
        out: where the card is written.
        shifts: ask instead what is lost when the world's constants are other than usual, one by one.
        split: which episodes are asked about: test-iid, test-interp, test-extrap, test-combo, test-policy or
            test-action; by default test-iid, at the constants that the model was trained at.
        salt: a number that makes the exam another one, which nobody could have known.
        equality: what is equal between the models that are compared, E1 to E4.
    """
    out_to = Console()
    how: dict[str, Any] = {"seed": seed, "size": size, "axes": axes, "salt": salt, "equality": equality}
    if who == "all":
        print(markdown(everyone(need(world), out_to, how | questions(world, split, None))))
        return
    if not Path(who).is_dir() and not world:
        raise CraikError(
            f"there is no run at {who}",
            "pass a run's folder, or a pretender and --world, as: craik score frozen --world craik/Rooms-v0",
        )
    graded = candidate(who)
    world = need(world or graded.home)
    name, model = graded.name, graded.model(world)
    if shifts:
        out_to.print(shift_table(drops(model, world, seed=seed, size=size), f"{name} in {world}"))
        return
    card = grade(model, world, name=name, **how, **questions(world, split, graded.run))
    where = f"{card.facts['split']}, {card.facts['constants']} constants"
    out_to.print(f"[bold]{name}[/bold] in {world}: {size}, exam {seed} of {where}, state {card.instrument}")
    for each in tables(card):
        out_to.print(each)
    print("truth: the true simulator through the same instrument. null: the best of those that know nothing.")
    kind = [split] * bool(split) + [f"salt{salt}"] * bool(salt)
    written = save(card, out / "-".join([name, world.split("/")[-1], size, str(seed), *kind]))
    print(f"written: {written}")


def everyone(world: str, out_to: Console, how: dict[str, Any]) -> list[Card]:
    """The cards of all pretenders."""
    known = track(pretenders(world).items(), description=world, console=out_to)
    return [grade(make_model(), world, name=name, **how) for name, make_model in known]


def need(world: str) -> str:
    """The world, which has to be an exact one.

    Raises:
        CraikError: if it is not.
    """
    exact = [k for k, entry in OURS.items() if entry.exact]
    if world not in exact:
        raise CraikError(
            f"{world or 'no world'} is no exact world, where truth is known", f"pass --world, one of {', '.join(exact)}"
        )
    return world


def tables(card: Card) -> list[Table]:
    """One table an axis, one row a metric."""
    found = []
    for axis in AXES:
        scores = [s for s in card.scores if s.axis == axis]
        if not scores:
            continue
        shown = Table(title=f"{axis}  {ABOUT[axis]}", box=None, padding=(0, 1), title_justify="left")
        shown.add_column("metric", no_wrap=True, min_width=32)
        for name in ("value", "95 %", "truth", "null", "score", "n"):
            shown.add_column(name, justify="right")
        for s in scores:
            i = s.interval()
            floor = short(average(s.floor))
            between = f"{short(i.low)} to {short(i.high)}" if s.n > 1 else ""
            shown.add_row(s.id, short(s.mean), between, floor, short(s.null), short(s.normalised), str(s.n))
        found.append(shown)
    return found


def shift_table(found: list[Drop], title: str) -> Table:
    """One row a constant and metric."""
    shown = Table("changes", "constant", "metric", "score lost", "95 %", title=title, box=None, padding=(0, 1))
    for d in sorted(found, key=lambda d: (d.kind, d.factor, d.id)):
        between = f"{short(d.drop.low)} to {short(d.drop.high)}"
        shown.add_row(d.kind, f"{d.factor} = {d.value:g}", d.id, short(d.drop.value), between)
    return shown
