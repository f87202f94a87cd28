"""`craik demo`: five minutes from nothing to a world model that plans, dreams and is judged."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
import tyro
from rich.console import Console

from craik.behave.agent import Player
from craik.behave.planner_agent import PlannerAgent
from craik.cli.dream_command import both, record
from craik.cli.progress import Display
from craik.cli.train_command import set_aside
from craik.core.model import WorldModel
from craik.data.episode import Episode
from craik.eval.drawn import Drawn, learn_to_draw
from craik.eval.film import film, gif, png, strip
from craik.eval.horizon import open_loop
from craik.eval.report import Curve, Mark, ReportInput, save
from craik.eval.returns import Returns, evaluate, random_returns
from craik.eval.thinking import Thinking, think
from craik.eval.trials import ceiling_returns, quick_planner
from craik.train.log import read
from craik.train.run import Run, environment
from craik.train.start import learn

RECIPE, WORLD = "td_mpc2", "Pendulum-v1"


def run(argv: list[str]) -> None:
    """Parses the command line and shows it all."""
    tyro.cli(demo, args=argv, prog="craik demo")


def demo(seed: int = 0, steps: int = 10_000, episodes: int = 20, path: Path = Path("runs/demo")) -> None:
    """Collects, trains, plans in the learned model, scores it in the real world, films its dreams, and reports.

    Args:
        seed: from which everything random is derived.
        steps: environment steps to learn from; the recipe itself takes more, for worlds that are harder.
        episodes: real episodes to be judged by.
        path: the run's folder; one that is there is set aside.
    """
    begin = time.monotonic()
    torch.set_num_threads(1)  # the networks are small: a second thread only waits
    if path.exists():
        set_aside(path)
    out = Console()
    out.print(f"[bold]1 of 4[/bold]  {WORLD} (Gymnasium): gathering experience and learning a world model from it")
    with Display(f"{RECIPE} in {WORLD}") as display:
        trained = learn(RECIPE, WORLD, size="small", steps=steps, seed=seed, dir=path, progress=display)
    out.print("[bold]2 of 4[/bold]  planning in the learned model, in the real world")
    ours, marks = judge(trained, episodes, seed)
    out.print("[bold]3 of 4[/bold]  teaching a small decoder to draw what the model imagines")
    shown = record(trained, 2_000, seed + 1, "both")
    held, seen = [shown[0], shown[-1]], shown[1:-1]
    drawn = learn_to_draw(trained.model, seen, both(trained), updates=700, seed=seed)
    out.print("[bold]4 of 4[/bold]  filming a dream, and writing the report")
    report = write_report(trained, drawn, held, ours, marks, time.monotonic() - begin, seed)
    say(out, report, ours, marks, time.monotonic() - begin)


def judge(trained: Run, episodes: int, seed: int) -> tuple[Returns, list[Mark]]:
    """What the planner earns in the real world, and what it is to be compared with, from the same starts."""
    ours = evaluate(trained.model, trained.agent, WORLD, episodes, seed + 10_000)
    chance = random_returns(WORLD, episodes, seed + 10_000)
    true = ceiling_returns(WORLD, quick_planner, episodes, seed + 10_000)
    return ours, [
        Mark("random actions", chance.mean, "the same starts"),
        Mark("planning in the exact simulator", true.mean, "iCEM, told the true state and laws", ceiling=True),
    ]


def write_report(
    trained: Run, drawn: Drawn, held: list[Episode], ours: Returns, marks: list[Mark], seconds: float, seed: int
) -> Path:
    """Writes `report.html` and the film beside it; returns the report's place."""
    assert trained.path is not None
    shown = film(drawn, held[0], length=60, fps=20)
    (trained.path / "dream.gif").write_bytes(gif(shown))
    (trained.path / "dream.png").write_bytes(png(strip(shown)))
    where = trained.path / "report.html"
    interval = ours.interval
    save(
        ReportInput(
            title="A world model, learned in minutes",
            sentence=f"From {trained.steps:,} steps of {WORLD} a model learned to foresee what torques do; a planner "
            "that thinks only inside the model then swings the pendulum up in the real world.",
            score=interval,
            score_says=f"mean return of {len(ours.returns)} real episodes, planning in the learned model",
            marks=marks,
            curves=curves(trained.path, marks),
            horizon=list(open_loop(drawn, held, horizons=(1, 2, 4, 8, 16, 32, 64)).values()),
            film=shown,
            thinking=thought(trained, held[0], seed),
            action_name="torque",
            commands=[f"craik demo --seed {seed}"],
            facts=facts(trained, drawn, seconds, seed),
            next=[
                (f"craik dream {trained.path}", "film another dream"),
                (f"craik eval {trained.path}", "judge it by 100 episodes"),
                ("craik train dreamer_v3 --world CartPole-v1", "another model, another world"),
                ("craik show td_mpc2 --flat", "read this model as one file"),
                ("craik worlds --film-to worlds.png", "see worlds with exact state"),
            ],
        ),
        where,
    )
    return where


def curves(path: Path, marks: list[Mark]) -> list[Curve]:
    """Return while gathering, and the losses, from the run's log."""
    records = [r for r in read(path / "log.jsonl") if "losses" in r]
    gathered = [(r["steps"], r["returns"]) for r in records if r.get("returns") is not None]
    levels = {mark.name: mark.value for mark in marks}
    found = [Curve("return while gathering", [s for s, _ in gathered], [v for _, v in gathered], levels=levels)]
    for name in ("consistency", "reward", "value"):
        points = [(r["updates"], r["losses"][name]) for r in records if name in r["losses"]]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        found.append(Curve(f"{name} loss", xs, ys, x_name="updates", log=True))
    return found


def thought(trained: Run, episode: Episode, seed: int) -> Thinking:
    """One search from the first moment of an episode."""
    assert isinstance(trained.agent, PlannerAgent)
    generator = torch.Generator().manual_seed(seed)
    player = Player(trained.model, trained.agent, 1, generator=generator)
    names = trained.model.spec.obs.spaces
    player.act({k: torch.as_tensor(episode.obs[k][:1]) for k in names}, torch.ones(1, dtype=torch.bool))
    planner = quick_planner(trained.spec)
    return think(trained.model, player.belief, planner.planner, planner.objective, generator=generator)


def facts(trained: Run, drawn: WorldModel, seconds: float, seed: int) -> dict[str, str]:
    """Versions, machine and sizes, for the report's last page."""
    here = environment()
    millions = sum(p.numel() for p in trained.model.parameters()) / 1e6
    return {
        "recipe": f"{trained.config.recipe}, size {trained.config.size}, {millions:.2f} million parameters",
        "learned from": f"{trained.steps:,} environment steps, {trained.updates:,} updates",
        "pictures": "the model sees three numbers (cosine, sine, speed); a decoder learned afterwards, on its latent, "
        f"draws them ({type(drawn).__name__})",
        "seed": str(seed),
        "took": f"{seconds / 60:.1f} minutes",
        "machine": f"{here['processor']}",
        "versions": ", ".join(f"{k} {here[k]}" for k in ("craik", "torch", "numpy", "python")),
        "commit": str(here["commit"]),
    }


def say(out: Console, report: Path, ours: Returns, marks: list[Mark], seconds: float) -> None:
    """The result in a few lines."""
    low, high = ours.interval.low, ours.interval.high
    out.print(f"\n  return of the planner   [bold]{ours.mean:8.0f}[/bold]   (95 %: {low:.0f} to {high:.0f})")
    for mark in marks:
        out.print(f"  {mark.name:<32}{mark.value:.0f}")
    clear = np.isfinite(low) and low > marks[0].value
    out.print("  it beats chance clearly" if clear else "  [red]it does not clearly beat chance[/red]")
    out.print(f"\nreport: {report}   film: {report.with_name('dream.gif')}   ({seconds / 60:.1f} minutes)")
    out.print(f"next:   craik dream {report.parent}    craik train dreamer_v3 --world CartPole-v1    craik list")
