"""The command's front door: help, versions, and errors in words."""

from __future__ import annotations

import subprocess
import sys

import pytest

from craik.cli.main import COMMANDS, main


def craik(*args):
    return subprocess.run([sys.executable, "-m", "craik", *args], capture_output=True, text=True, timeout=120)


def test_help_names_every_command(capsys):
    main(["--help"])
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from craik.cli.main import main; main(['--help'])\n"
        "heavy = {'torch', 'numpy', 'gymnasium', 'tyro', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_unknown_command_says_what_was_meant(capsys):
    with pytest.raises(SystemExit) as leaving:
        main(["trian", "dreamer_v3"])
    assert leaving.value.code == 2
    assert "did you mean train" in capsys.readouterr().err


def test_unknown_recipe_says_what_was_meant(capsys):
    with pytest.raises(SystemExit):
        main(["cite", "dreamer_v4"])
    err = capsys.readouterr().err
    assert "dreamer_v3" in err
    assert "fix:" in err
    assert "Traceback" not in err


@pytest.mark.slow
@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help(command):
    done = craik(command, "--help")
    assert done.returncode == 0, done.stderr
    assert "usage: craik" in done.stdout


def test_a_reader_that_leaves_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -m craik --help | true", shell=True, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
