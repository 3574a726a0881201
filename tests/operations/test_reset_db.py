"""reset_db.py deletes the database and the log, and refuses wherever that could be a mistake."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import reset_db
from tests.operations.commands import ROOT, run


class Done(NamedTuple):
    """What a run has come to: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


class Folder:
    """A folder that a service has run in."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path, self._capsys = path, capsys

    def reset(self, *options: str, **settings: str) -> Done:
        code = reset_db.main(options, settings)
        return Done(code, *self._capsys.readouterr())

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.path.iterdir() if path.is_file()}


def make_database(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=wal")
        connection.execute("CREATE TABLE users (id TEXT)")


@pytest.fixture
def folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Folder:
    monkeypatch.chdir(tmp_path)
    make_database(tmp_path / "app.db")
    (tmp_path / "app.log").write_text("{}\n")
    return Folder(tmp_path, capsys)


@contextlib.contextmanager
def held_open(database: Path) -> Iterator[None]:
    """Another process with a connection that has been used once and is idle now."""
    script = (
        "import sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1])\n"
        "connection.execute('SELECT * FROM users').fetchall()\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(database)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
        process.communicate()


def test_it_deletes_the_database_and_the_log_and_says_so(folder: Folder) -> None:
    done = folder.reset()
    assert done == (0, "Deleted app.db\nDeleted app.log\n", "")
    assert folder.files() == {}
    assert folder.reset() == (0, "Nothing to delete: neither app.db nor app.log is there.\n", "")


def test_it_is_a_command(folder: Folder) -> None:
    done = run(sys.executable, ROOT / "reset_db.py", cwd=folder.path)
    assert (done.returncode, done.stdout) == (0, "Deleted app.db\nDeleted app.log\n")
    assert run(sys.executable, ROOT / "reset_db.py", "--yes", cwd=folder.path).returncode == 2


def test_it_lists_what_it_would_delete(folder: Folder) -> None:
    before = folder.files()
    assert folder.reset("--list") == (0, "app.db\napp.log\n", "")
    assert folder.files() == before


def test_it_deletes_what_sqlite_left_beside_the_database_and_nothing_else(folder: Folder) -> None:
    """A write-ahead log without its database would be replayed into the next one."""
    others = {"other.db", "app.db.backup", "app.log.1"}
    for name in ("app.db-shm", "app.db-journal", *others):
        (folder.path / name).touch()
    (folder.path / "app.db").unlink()
    (folder.path / "app.db-wal").write_bytes(b"7\x7f\x06\x82")
    assert folder.reset().code == 0
    assert folder.files().keys() == others


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00" + b"\xff" * 4096])
def test_it_deletes_a_database_that_is_empty_or_damaged(folder: Folder, content: bytes) -> None:
    (folder.path / "app.db").write_bytes(content)
    assert folder.reset().code == 0
    assert folder.files() == {}


def test_it_reads_the_settings_of_the_service(folder: Folder) -> None:
    make_database(folder.path / "mine here.db")
    (folder.path / "mine.log").touch()
    done = folder.reset(DATABASE_URL="sqlite:///./mine%20here.db", LOG_FILE="mine.log")
    assert done.out == "Deleted mine here.db\nDeleted mine.log\n"
    (folder.path / "url").write_text(f"sqlite:///{folder.path}/app.db\n")
    done = folder.reset(DATABASE_URL_FILE="url")
    assert done.out.splitlines()[0] == f"Deleted {folder.path}/app.db"


REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "a file of settings that is not there": (
        {"DATABASE_URL_FILE": "missing"},
        "DATABASE_URL_FILE cannot be read: FileNotFoundError.",
    ),
    "another kind of database, whose password is not repeated": (
        {"DATABASE_URL": "postgresql://auth:hunter2@localhost/auth"},
        "DATABASE_URL is postgresql, and this script deletes SQLite files only.",
    ),
    **{
        url: ({"DATABASE_URL": url}, "DATABASE_URL does not name a plain SQLite file.")
        for url in ("sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///app.db?uri=true")
    },
    "a file that is no database": (
        {"DATABASE_URL": "sqlite:///notes.txt"},
        "notes.txt is not an SQLite database.",
    ),
    "a link for the database": (
        {"DATABASE_URL": "sqlite:///link"},
        "link is a symbolic link, and only regular files are deleted.",
    ),
    "a link for the log": (
        {"LOG_FILE": "link"},
        "link is a symbolic link, and only regular files are deleted.",
    ),
    "a folder for the log": (
        {"LOG_FILE": "logs"},
        "logs is not a regular file, and only regular files are deleted.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_and_then_deletes_nothing_at_all(folder: Folder, name: str) -> None:
    """Not even if it is forced."""
    settings, reason = REFUSED[name]
    (folder.path / "notes.txt").write_text("SQLite format: see the manual")
    (folder.path / "link").symlink_to("app.db")
    (folder.path / "logs").mkdir()
    before = folder.files()
    assert folder.reset("--force", **settings) == (1, "", f"Refused: {reason}\n")
    assert folder.files() == before


def test_it_refuses_while_another_process_has_the_database_open(folder: Folder) -> None:
    with held_open(folder.path / "app.db"):
        before = folder.files()
        done = folder.reset()
        assert (done.code, done.out) == (1, "")
        assert "app.db is open in another process" in done.err
        assert "--force" in done.err
        assert folder.files() == before
    assert folder.reset().code == 0


def test_it_can_be_forced_and_then_asks_for_a_restart(folder: Folder) -> None:
    with held_open(folder.path / "app.db"):
        done = folder.reset("--force")
        assert done.code == 0
        assert "Restart the process that had it open" in done.out
        assert folder.files() == {}
