"""The directory of the workers' metrics: made, emptied at a start, refused if it cannot serve."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from services.metrics_files import VARIABLE, directory, prepare_directory
from tests.features.settings.test_start import start

# No process has it: Linux's greatest is 4,194,304.
NOBODY = 999_999_999


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With files of this process, of its parent, which lives, and of one that has died."""
    for pid in (os.getpid(), os.getppid(), NOBODY):
        (tmp_path / f"counter_{pid}.db").write_bytes(b"")
        (tmp_path / f"gauge_livesum_{pid}.db").write_bytes(b"")
    (tmp_path / "something-else.txt").touch()
    return tmp_path


def test_without_the_variable_there_is_one_process() -> None:
    prepare_directory({})
    assert directory({}) is None


def test_the_directory_is_made_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "run" / "metrics"
    prepare_directory({VARIABLE: str(path)})
    assert path.stat().st_mode & 0o777 == 0o700


def test_a_start_drops_what_an_earlier_run_left(folder: Path) -> None:
    """Its own files, too: in a container a new process often has the old one's number."""
    prepare_directory({VARIABLE: str(folder)})
    parent = os.getppid()
    kept = {f"counter_{parent}.db", f"gauge_livesum_{parent}.db", "something-else.txt", "server"}
    assert names(folder) == kept


def test_a_later_worker_of_the_same_server_drops_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the place of a worker that died, whose counters must stay in the sum."""
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: object())
    prepare_directory({VARIABLE: str(folder)})
    dead = folder / f"counter_{NOBODY}.db"
    assert not dead.exists()
    dead.write_bytes(b"")
    prepare_directory({VARIABLE: str(folder)})
    assert dead.exists()
    monkeypatch.setattr(os, "getppid", lambda: 1)
    prepare_directory({VARIABLE: str(folder)})
    assert not dead.exists()


def test_a_process_without_proc_is_known_by_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS."""

    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(Path, "read_text", missing)
        prepare_directory({VARIABLE: str(tmp_path)})
    assert (tmp_path / "server").read_text() == f"{os.getpid()} "


@pytest.mark.parametrize("value", ["", "/", "app.py"], ids=["empty", "the root", "a file"])
def test_what_is_no_directory_of_its_own_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("app.py").touch()
    with pytest.raises(ConfigurationError, match=VARIABLE):
        prepare_directory({VARIABLE: value})


def test_a_start_that_is_refused_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    process = start(tmp_path, {VARIABLE: str(tmp_path / "file")})
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.startswith(f"The service does not start. {VARIABLE}: ")
    assert said.count("\n") == 1
