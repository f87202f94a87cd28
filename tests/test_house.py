"""The house rules that a linter does not know."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "craik").rglob("*.py"))


def test_no_file_is_longer_than_400_lines():
    long = {str(f.relative_to(ROOT)): n for f in FILES if (n := len(f.read_text().splitlines())) > 400}
    assert not long


def test_no_room_without_a_name_of_its_own():
    assert not [f for f in FILES if f.stem in ("utils", "helpers", "common", "misc")]


def test_nothing_that_runs_code_from_a_file():
    banned = re.compile(r"torch\.load\(|pickle\.load|import pickle|yaml\.load\(|(?<![\w.])eval\(|(?<![\w.])exec\(")
    found = {f"{f.relative_to(ROOT)}: {m.group()}" for f in FILES for m in banned.finditer(f.read_text())}
    assert not found


def test_nothing_is_printed_below_the_roof():
    said = re.compile(r"^\s*print\(", re.M)
    assert not [f for f in FILES if "cli" not in f.parts and said.search(f.read_text())]


def test_a_wheel_holds_what_it_needs(tmp_path):
    names = subprocess.run(["git", "ls-files", "craik"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for needed in ("craik/py.typed", "craik/eval/systems.tsv", "craik/eval/assets/report.css"):
        assert needed in names
