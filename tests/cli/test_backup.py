"""`python -m cli backup`, `restore` and `verify`, on a service in this process."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from cli.__main__ import main
from cli.backup import database_file
from devtools.authenticator import SoftAuthenticator
from tests.conftest import StartService
from tests.support.service import Service, person

pytestmark = pytest.mark.sqlite
Captured = pytest.CaptureFixture[str]


def run(command: str, *arguments: object, database: Path) -> int:
    return main(
        [command, *map(str, arguments)], {"DATABASE_URL": f"sqlite:///{database.absolute()}"}
    )


def refusal(capsys: Captured, command: str, *arguments: object, database: Path) -> str:
    """Run the command, which must refuse, and return its one sentence."""
    capsys.readouterr()
    assert run(command, *arguments, database=database) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    return printed.err


def emails(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute("SELECT email FROM users ORDER BY email")]


@pytest.fixture
def stopped(tmp_path: Path, device: SoftAuthenticator) -> Path:
    """The database of a service that has stopped, with Jane's account."""
    folder = tmp_path / "service"
    folder.mkdir()
    with Service(folder) as service:
        service.register(device)
    return folder / "app.db"


@pytest.fixture
def backup(stopped: Path, tmp_path: Path, capsys: Captured) -> Path:
    file = tmp_path / "backup.db"
    assert run("backup", file, database=stopped) == 0
    capsys.readouterr()
    return file


def test_a_copy_of_a_running_service_holds_what_was_answered(
    service: Service, device: SoftAuthenticator, tmp_path: Path, capsys: Captured
) -> None:
    service.register(device)
    file = tmp_path / "copy.db"
    assert (service.folder / "app.db-wal").stat().st_size > 0
    assert run("backup", file, database=service.folder / "app.db") == 0
    said = capsys.readouterr().out
    size = file.stat().st_size
    assert said == f"{file}: {size} bytes, 1 accounts, 1 passkeys, 2 audit rows, schema 0003\n"
    assert (emails(file), file.stat().st_mode & 0o777) == (["jane@example.com"], 0o600)
    # One file, and the service goes on.
    assert [path.name for path in tmp_path.iterdir() if "copy" in path.name] == ["copy.db"]
    assert service.try_login(device).status_code == 200


def test_a_copy_keeps_the_numbers_of_the_audit_rows(stopped: Path, tmp_path: Path) -> None:
    """The positions of the sinks are such numbers. SQLite's VACUUM need not keep them."""
    with closing(sqlite3.connect(stopped)) as connection, connection:
        connection.execute("UPDATE audit_logs SET rowid = rowid + 1000")
    assert run("backup", tmp_path / "copy.db", database=stopped) == 0
    with closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
        assert connection.execute("SELECT min(rowid) FROM audit_logs").fetchone() == (1001,)


def test_a_copy_ends_while_somebody_commits_all_the_time(stopped: Path, tmp_path: Path) -> None:
    """`.backup` of the sqlite3 shell begins again with every commit."""
    with closing(sqlite3.connect(stopped)) as connection, connection:
        connection.execute("CREATE TABLE filler (x BLOB)")
        connection.executemany("INSERT INTO filler VALUES (?)", [(bytes(4000),)] * 20_000)
    over, commits = threading.Event(), [0]

    def write() -> None:
        with closing(sqlite3.connect(stopped, timeout=30)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")
            while not over.is_set():
                with connection:
                    connection.execute("INSERT INTO filler VALUES (x'00')")
                commits[0] += 1

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        while not commits[0]:
            time.sleep(0.01)
        copier = threading.Thread(
            target=run, args=("backup", tmp_path / "copy.db"), kwargs={"database": stopped}
        )
        copier.daemon = True
        copier.start()
        copier.join(60)
        assert not copier.is_alive()
    finally:
        over.set()
        writer.join(30)
    assert database_file.examine(tmp_path / "copy.db").accounts == 1


def test_a_file_that_exists_is_not_overwritten(
    stopped: Path, tmp_path: Path, capsys: Captured
) -> None:
    file = tmp_path / "precious"
    file.write_text("precious")
    assert "exists: name a new file" in refusal(capsys, "backup", file, database=stopped)
    assert "exists: name a new file" in refusal(capsys, "backup", stopped, database=stopped)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    assert "exists: name a new file" in refusal(capsys, "backup", link, database=stopped)
    assert file.read_text() == "precious"


def test_a_copy_needs_a_database_and_a_folder(
    stopped: Path, tmp_path: Path, capsys: Captured
) -> None:
    missing = tmp_path / "nowhere.db"
    assert "does not exist" in refusal(capsys, "backup", tmp_path / "x", database=missing)
    assert not missing.exists()
    folder = tmp_path / "no" / "folder"
    said = refusal(capsys, "backup", folder / "x.db", database=stopped)
    assert said == f"Refused: {folder} cannot be written (No such file or directory). " \
        "Nothing was written.\n"  # fmt: skip


@pytest.mark.parametrize(("command", "tool"), [("backup", "pg_dump"), ("restore", "pg_restore")])
def test_postgresql_has_tools_of_its_own(
    backup: Path, tmp_path: Path, capsys: Captured, command: str, tool: str
) -> None:
    environment = {"DATABASE_URL": "postgresql://auth:hunter2@db/auth"}
    file = backup if command == "restore" else tmp_path / "x"
    assert main([command, str(file)], environment) == 1
    said = capsys.readouterr().err
    assert tool in said
    assert "hunter2" not in said
    assert said.count("\n") == 1


def test_an_address_that_cannot_be_read_is_not_the_default(
    backup: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {"DATABASE_URL_FILE": str(tmp_path / "nowhere")}
    assert main(["restore", str(backup)], environment) == 1
    assert "DATABASE_URL_FILE" in capsys.readouterr().err
    assert not (tmp_path / "app.db").exists()


def test_a_restored_file_serves_its_accounts(
    backup: Path, stopped: Path, device: SoftAuthenticator, capsys: Captured
) -> None:
    with Service(stopped.parent) as service:
        service.register(SoftAuthenticator(), person("late"))
    assert run("restore", backup, database=stopped) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{stopped}: 1 accounts, 1 passkeys, 2 audit rows, schema 0003"
    (aside,) = stopped.parent.glob("app.db.before-restore-*")
    assert said[1:] == [f"The database that was there is kept as {aside}"]
    assert emails(stopped) == ["jane@example.com"]
    assert emails(aside) == ["jane@example.com", "late@example.com"]
    assert {path.stat().st_mode & 0o777 for path in (stopped, aside)} == {0o600}
    assert backup.exists()
    with Service(stopped.parent) as service:
        assert service.try_login(device).status_code == 200


def test_a_restore_into_an_empty_folder(backup: Path, tmp_path: Path, capsys: Captured) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert run("restore", backup, database=folder / "app.db") == 0
    assert "kept" not in capsys.readouterr().out
    assert [path.name for path in folder.iterdir()] == ["app.db"]


def test_a_log_that_lies_there_is_not_applied_to_the_restored_file(
    service: Service, device: SoftAuthenticator, tmp_path: Path
) -> None:
    """A process that was killed leaves `app.db-wal`: it belongs to the file that goes."""
    service.register(device)
    folder, older = tmp_path / "killed", tmp_path / "older"
    older.mkdir()
    with Service(older):
        pass
    assert run("backup", tmp_path / "empty.db", database=older / "app.db") == 0
    folder.mkdir()
    for name in ("app.db", "app.db-wal"):
        shutil.copy(service.folder / name, folder / name)
    assert run("restore", tmp_path / "empty.db", database=folder / "app.db") == 0
    assert emails(folder / "app.db") == []
    (aside,) = (path for path in folder.iterdir() if path.name.endswith("Z"))
    assert emails(aside) == ["jane@example.com"]


def test_a_damaged_database_can_be_replaced(
    backup: Path, stopped: Path, device: SoftAuthenticator
) -> None:
    stopped.write_bytes(b"SQLite format 3\0" + os.urandom(5000))
    Path(f"{stopped}-wal").write_bytes(b"its log")
    assert run("restore", backup, database=stopped) == 0
    assert list(stopped.parent.glob("app.db.before-restore-*Z"))
    with Service(stopped.parent) as service:
        assert service.try_login(device).status_code == 200


def test_nothing_is_restored_under_a_running_service(
    start_service: StartService, tmp_path: Path, capsys: Captured
) -> None:
    service = start_service()
    database, file = service.folder / "app.db", tmp_path / "copy.db"
    assert run("backup", file, database=database) == 0
    service.register(SoftAuthenticator(), person("late"))
    said = refusal(capsys, "restore", file, database=database)
    assert "is open in another process: stop the service first" in said
    assert emails(database) == ["late@example.com"]
    assert run("restore", file, "--force", database=database) == 0
    assert "Restart the service" in capsys.readouterr().out
    assert emails(database) == []
    (aside,) = (path for path in database.parent.iterdir() if path.name.endswith("Z"))
    assert emails(aside) == ["late@example.com"]


def test_restoring_the_database_over_itself_is_refused(stopped: Path, capsys: Captured) -> None:
    assert "is the database itself" in refusal(capsys, "restore", stopped, database=stopped)


def test_a_good_copy_is_verified(backup: Path, stopped: Path, capsys: Captured) -> None:
    before = backup.read_bytes()
    assert run("verify", backup, database=stopped) == 0
    said = capsys.readouterr().out
    assert said == f"{backup}: good, 1 accounts, 1 passkeys, 2 audit rows, schema 0003\n"
    assert backup.read_bytes() == before
    assert not list(backup.parent.glob("backup.db-*"))


def forget_index_entries(file: Path) -> None:
    """Delete audit rows while one of their indexes is not in the schema. Every page stays sound."""
    name = "ix_audit_logs_event_type"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA writable_schema=ON")
        where = "FROM sqlite_master WHERE name = ?"
        row = connection.execute(f"SELECT * {where}", (name,)).fetchone()
        connection.execute(f"DELETE {where}", (name,))
    for statement, values in (
        ("DELETE FROM audit_logs", ()),
        ("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", row),
    ):
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("PRAGMA writable_schema=ON")
            connection.execute(statement, values)


def damage(file: Path, how: str) -> None:
    statements = {
        "a table gone": "DROP TABLE webauthn_credentials",
        "a passkey of nobody": "DELETE FROM users",
        "a newer schema": "UPDATE alembic_version SET version_num = '9999'",
        "no schema": "DELETE FROM alembic_version",
    }
    if how in statements:
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(statements[how])
    elif how == "an index that misses rows":
        forget_index_entries(file)
    elif how == "half of it":
        os.truncate(file, file.stat().st_size // 2)
    elif how == "pages overwritten":
        content = file.read_bytes()
        file.write_bytes(content[:4096] + os.urandom(len(content) - 4096))
    else:
        file.write_bytes(b"" if how == "empty" else b"text" * 2000)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("a table gone", "is not a database of this service"),
        ("a passkey of nobody", "a passkey belongs to no account"),
        ("a newer schema", "has schema 9999, which this version does not know"),
        ("no schema", "has schema nothing"),
        ("an index that misses rows", "is damaged: wrong # of entries in index"),
        ("half of it", "image is malformed"),
        ("pages overwritten", "damaged"),
        ("empty", "is not a database of this service"),
        ("text", "cannot be read as an SQLite database"),
    ],
)
def test_what_is_not_good_is_neither_verified_nor_restored(
    backup: Path, stopped: Path, capsys: Captured, how: str, reason: str
) -> None:
    before = stopped.read_bytes()
    damage(backup, how)
    said = refusal(capsys, "verify", backup, database=stopped)
    assert said.startswith("Not good: ")
    said += refusal(capsys, "restore", backup, database=stopped)
    assert "Nothing was changed" in said
    assert reason in said or (how == "pages overwritten" and "malformed" in said)
    assert stopped.read_bytes() == before
    assert not list(stopped.parent.glob("*before-restore*"))
    assert not list(stopped.parent.glob(".copy-*"))
