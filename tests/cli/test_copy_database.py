"""`python -m cli copy-database`: what it refuses before it needs a PostgreSQL server."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli.__main__ import main
from cli.copy_database.source import open_source

# Nothing listens there: a refusal that comes first has not asked the server.
TARGET = "postgresql://127.0.0.1:1/auth"


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command, and return its one sentence."""
    assert main(["copy-database", *arguments], {}) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert printed.err.startswith("Refused: ")
    assert printed.err.endswith(". Nothing was copied.\n")
    return printed.err


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere.db", "nowhere.db does not exist"),
        ("text.db", "text.db cannot be read as an SQLite database"),
        ("app.db?mode=ro", "--from must be sqlite:/// and a plain file"),
    ],
)
def test_a_source_that_is_no_database_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, reason: str
) -> None:
    (tmp_path / "text.db").write_text("no database" * 500)
    assert reason in refusal(capsys, "--from", f"sqlite:///{tmp_path / name}", "--to", TARGET)
    assert not (tmp_path / "nowhere.db").exists()


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite:///:memory:", "postgresql:///x", "app.db"])
def test_a_source_that_names_no_file_is_refused(
    capsys: pytest.CaptureFixture[str], url: str
) -> None:
    assert "--from must be sqlite:/// and a plain file" in refusal(
        capsys, "--from", url, "--to", TARGET
    )


def test_a_target_that_is_not_postgresql_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = f"sqlite:///{tmp_path}/app.db"
    assert "the target must be postgresql://" in refusal(capsys, "--from", source)
    assert "the target must be postgresql://" in refusal(
        capsys, "--from", source, "--to", "sqlite:///other.db"
    )


def test_nobody_can_write_to_the_source_during_the_copy(tmp_path: Path) -> None:
    """A service that starts during the copy meets a lock, instead of losing what it writes."""
    file = tmp_path / "app.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript("PRAGMA journal_mode=WAL; CREATE TABLE users (id)")
    with (
        open_source(file, shared=False),
        closing(sqlite3.connect(file, timeout=0)) as other,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("SELECT count(*) FROM users")
