"""Where a run stands, live: a panel on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from craik.train.log import Progress


class Display:
    """A `Listener` that draws; use it as a context manager.

    Args:
        title: what is being done, in a few words.
    """

    def __init__(self, title: str):
        self.title = title
        self.console = Console()
        self.told: tuple[str, int] | None = None
        self.live = Live(console=self.console, transient=False, auto_refresh=False)

    def __enter__(self) -> Display:
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.live.stop()

    def __call__(self, progress: Progress) -> None:
        """Draws one report."""
        if self.console.is_terminal:
            self.live.update(self.panel(progress), refresh=True)
            return
        done, total = position(progress)
        mark = (progress.phase, 10 * done // max(total, 1))
        if mark != self.told:
            self.told = mark
            self.console.print(line(progress), highlight=False)

    def panel(self, progress: Progress) -> Group:
        """The report as a title, a bar and a table."""
        done, total = position(progress)
        table = Table.grid(padding=(0, 2))
        table.add_row("steps", f"{progress.steps:,}", "updates", f"{progress.updates:,}")
        table.add_row("env steps/s", f"{progress.env_rate:,.0f}", "updates/s", f"{progress.train_rate:,.1f}")
        table.add_row("time left", clock(progress.eta), "return", number(progress.returns))
        for name, value in {**progress.losses, **progress.figures}.items():
            table.add_row(f"[dim]{name}[/dim]", f"[dim]{value:.4g}[/dim]")
        bar = Table.grid()  # a bar by itself ends no line
        bar.add_row(ProgressBar(total=max(total, 1), completed=done, width=60))
        return Group(Text(f"{self.title} · {progress.phase}", style="bold"), bar, table)


def line(progress: Progress) -> str:
    """The report in one line."""
    done, total = position(progress)
    return (
        f"{progress.phase} {100 * done / max(total, 1):3.0f} %  steps {progress.steps}  updates {progress.updates}  "
        f"loss {number(progress.losses.get('total'))}  return {number(progress.returns)}  left {clock(progress.eta)}"
    )


def position(progress: Progress) -> tuple[int, int]:
    """How far it is, of how much: in environment steps where there are any to take, else in updates."""
    if progress.total_steps:
        return progress.steps, progress.total_steps
    return progress.updates, progress.total_updates


def number(x: float | None) -> str:
    """A number for people."""
    return "-" if x is None else f"{x:.3g}" if abs(x) < 100 else f"{x:.0f}"


def clock(seconds: float | None) -> str:
    """Seconds as minutes and seconds."""
    return "-" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
