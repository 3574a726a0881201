"""`python -m cli`: the help, and what the commands say on a Python that cannot run them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import cli.__main__ as commands
from cli.errors import CommandError
from tests.support.process import ROOT


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_help_lists_every_command() -> None:
    done = run(sys.executable, "-m", "cli", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"    {name}" in done.stdout for name in commands.COMMANDS)


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_every_command_has_a_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.main([name, "--help"])
    assert ended.value.code == 0
    assert f"usage: python -m cli {name}" in capsys.readouterr().out


def test_without_a_command_the_usage_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.main([])
    assert ended.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["doctor"], ["audit-export"], ["--help"]], ids=" ".join)
def test_a_python_without_the_packages_is_told_which_to_use(arguments: list[str]) -> None:
    """-S leaves out the installed packages: this is the system's Python."""
    done = run(sys.executable, "-S", "-m", "cli", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert "does not have the package" in done.stderr
    assert ".venv/bin/python" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_python_that_is_too_old_is_told_which_to_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands, "OLDEST_PYTHON", (99, 0))
    assert commands.main(["doctor"]) == 1
    assert "which is too old: run the command with .venv/bin/python" in capsys.readouterr().err


def test_a_module_of_the_service_that_is_missing_is_not_blamed_on_python(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That is a fault of the installation, and its traceback says where."""
    monkeypatch.setattr(commands, "COMMANDS", {"doctor": "cli.missing"})
    with pytest.raises(ModuleNotFoundError):
        commands.main(["doctor"])


def test_an_error_is_printed_and_gives_the_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> int:
        raise CommandError("It cannot be done.")

    monkeypatch.setattr("cli.doctor.command.run", fail)
    assert commands.main(["doctor"]) == 1
    assert capsys.readouterr().err == "It cannot be done.\n"
