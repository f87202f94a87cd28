"""`craik eval`: score a run in the real world and against baselines."""

from __future__ import annotations

import json
from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Table

from craik.core.errors import CraikError
from craik.data.durable import write
from craik.data.store import EpisodeStore
from craik.eval.horizon import open_loop
from craik.eval.returns import Returns, evaluate, nothing_returns, random_returns
from craik.train.run import Run, load


def run(argv: list[str]) -> None:
    """Parses the command line and scores."""
    tyro.cli(evaluate_run, args=argv, prog="craik eval")


def evaluate_run(path: tyro.conf.Positional[Path], episodes: int = 100, seed: int = 1_000) -> None:
    """Plays a run's agent in its world, beside random and idle ones, and measures how far ahead its model sees.

    Args:
        path: the run's folder.
        episodes: real episodes for each.
        seed: of the starts; the same for all.
    """
    trained = load(path)
    if not trained.world:
        raise CraikError(f"{path} was trained from a data set: there is no world to act in", f"craik dream {path}")
    obs, size = trained.config.obs, trained.config.image_size
    rows = {
        "agent": evaluate(trained.model, trained.agent, trained.world, episodes, seed, obs=obs, size=size),
        "random": random_returns(trained.world, episodes, seed, obs=obs, size=size),
        "nothing": nothing_returns(trained.world, episodes, seed, obs=obs, size=size),
    }
    out = Console()
    out.print(returns_table(trained.world, rows))
    figures = {name: {"mean": r.mean, "low": r.interval.low, "high": r.interval.high} for name, r in rows.items()}
    ahead = horizon_rows(trained)
    for name, error in ahead.items():
        out.print(horizon_table(name, error))
    facts = {"episodes": episodes, "seed": seed, "updates": trained.updates, "returns": figures, "horizon": ahead}
    write(path / "eval.json", json.dumps(facts, indent=1).encode())
    print(f"written: {path / 'eval.json'}\n  see it: craik dream {path}")


def returns_table(world: str, rows: dict[str, Returns]) -> Table:
    """Mean returns with their 95 % intervals."""
    table = Table("who", "return", "95 %", "ms a decision", title=f"{world}, {len(rows['agent'].returns)} episodes")
    for name, r in rows.items():
        interval = f"{r.interval.low:.4g} to {r.interval.high:.4g}"
        table.add_row(name, f"{r.mean:.4g}", interval, f"{1000 * r.seconds:.2f}")
    return table


def horizon_rows(trained: Run) -> dict[str, dict[str, list[float]]]:
    """Open-loop errors on the run's latest episodes: reading -> predictor -> error at each horizon."""
    assert trained.path is not None
    if not {"obs", "latent"} & set(trained.spec.reads) or not (trained.path / "episodes").exists():
        return {}
    store = EpisodeStore.open(trained.path / "episodes", read_only=True)
    latest = [store.read(i) for i in store.ids[-10:]]
    found = open_loop(trained.model, [e for e in latest if e.num_steps > 6])
    table = {}
    for name, error in found.items():
        table[name] = {"horizon": [float(h) for h in error.horizons]}
        table[name] |= {who: [float(x) for x in error.mean(who)] for who in error.errors}
    return table


def horizon_table(name: str, error: dict[str, list[float]]) -> Table:
    """One row a predictor, one column a horizon."""
    title = f"error of {name} imagined ahead (latest episodes of the run; they were trained on)"
    table = Table("steps ahead", *(f"{h:.0f}" for h in error["horizon"]), title=title)
    for who, values in error.items():
        if who != "horizon":
            table.add_row(who, *(f"{x:.3g}" for x in values))
    return table
