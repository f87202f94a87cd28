"""`craik doctor`: what this machine has, and what is missing."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import tyro
from rich.console import Console
from rich.table import Table

EXTRAS = {
    "video": {"av": "films as mp4, video data"},
    "classic": {"pygame": "pictures of Gymnasium's classic worlds"},
    "minari": {"h5py": "Minari data sets"},
    "lerobot": {"pyarrow": "LeRobot v3 data sets"},
    "tensorboard": {"tensorboard": "TensorBoard logs"},
    "box2d": {"Box2D": "LunarLander, CarRacing"},
    "atari": {"ale_py": "Atari games"},
    "mujoco": {"mujoco": "MuJoCo worlds"},
}
"""Extra -> module -> what it is for."""

CORE = ("torch", "numpy", "einops", "jaxtyping", "safetensors", "gymnasium", "tyro", "rich", "pillow")


def run(argv: list[str]) -> None:
    """Parses the command line and prints the tables."""
    tyro.cli(doctor, args=argv, prog="craik doctor")


def doctor() -> None:
    """Shows versions, extras, hardware and space, and the command that mends what is missing."""
    out = Console()
    for table in (core_table(), extras_table(), machine_table()):
        out.print(table)


def core_table() -> Table:
    """The packages craik cannot do without."""
    table = Table(title="core", title_justify="left")
    for heading in ("package", "version"):
        table.add_column(heading)
    table.add_row("python", platform.python_version())
    for name in ("craik", *CORE):
        try:
            table.add_row(name, version(name))
        except PackageNotFoundError:
            table.add_row(name, "[red]missing[/red]: pip install craik")
    return table


def extras_table() -> Table:
    """The packages some needs call for."""
    table = Table(title="extras", title_justify="left")
    for heading in ("extra", "for", "state"):
        table.add_column(heading)
    for extra, modules in EXTRAS.items():
        for module, purpose in modules.items():
            state = "ok" if find_spec(module) else f"pip install 'craik\\[{extra}]'"
            table.add_row(extra, purpose, state)
    return table


def machine_table() -> Table:
    """Cores, memory, disk, torch's build and threads."""
    torch = importlib.import_module("torch")
    table = Table(title="machine", title_justify="left", show_header=False)
    table.add_row("system", f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores")
    table.add_row("torch build", "CUDA " + torch.version.cuda if torch.version.cuda else "CPU")
    table.add_row(
        "accelerator", torch.cuda.get_device_name() if torch.cuda.is_available() else "none; nothing needs one"
    )
    table.add_row("threads", f"{torch.get_num_threads()} (set OMP_NUM_THREADS to change)")
    table.add_row("free disk", f"{shutil.disk_usage('.').free / 2**30:.0f} GiB here")
    return table
