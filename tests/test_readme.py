"""What the README says is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from craik.cli.list_command import as_markdown

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


@pytest.mark.slow
def test_the_program_runs(tmp_path):
    program = re.search(r"```python\n(import torch.*?)```", README, re.S).group(1)
    assert len([line for line in program.splitlines() if line.strip()]) <= 12
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=280)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("tensor([")


def test_the_table_of_recipes_is_the_generated_one():
    shown = re.search(r"<!-- recipes.*?-->\n(.*?)\n<!-- /recipes -->", README, re.S).group(1)
    assert shown == as_markdown()


def test_every_file_it_links_to_is_there():
    for link in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / link).exists(), link


def test_every_command_it_names_is_one():
    from craik.cli.main import COMMANDS

    for name in re.findall(r"`craik (\w+)", README):
        assert name in COMMANDS, name


def test_the_page_of_systems_is_the_generated_one():
    from craik.eval.systems import as_markdown as page
    from craik.eval.systems import standings

    assert (ROOT / "docs" / "systems.md").read_text() == page(standings())
