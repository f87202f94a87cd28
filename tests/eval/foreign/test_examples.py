"""The examples of docs/score-card.md run, and say what they should."""

import re
import runpy
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "score-card.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)


@pytest.fixture
def run(tmp_path, capsys):
    """Runs the one example that has these words in it: the words that it prints."""

    def run(words: str) -> list[str]:
        [program] = [e for e in EXAMPLES if words in e]
        (tmp_path / "example.py").write_text(program)
        runpy.run_path(str(tmp_path / "example.py"))
        return capsys.readouterr().out.split()

    return run


def test_a_model_made_with_the_interface_alone(run):
    retrieval, state = map(float, run("class Line"))
    assert 0.5 < retrieval < 1  # chance is 1/4; walls are no lines
    assert 0.1 < state < 1


def test_a_model_of_torchrl(run):
    pytest.importorskip("torchrl")
    instrument, retrieval = run("of_world_model")
    assert instrument == "probed"
    assert 0 <= float(retrieval) <= 1
