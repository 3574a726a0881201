"""`python -m cli copy-database`: every row of SQLite arrives in PostgreSQL, or none does."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    create_engine,
    text,
)
from sqlalchemy.pool import NullPool

from cli.__main__ import main
from cli.copy_database import copying
from cli.copy_database.source import open_source
from core.database.postgres import open_engine
from core.database.schema_version import newest_revision, upgrade
from core.database.types import Base, UtcDateTime
from devtools.authenticator import SoftAuthenticator
from tests.support import production
from tests.support.service import JANE, Service, person

TABLES = [table.name for table in Base.metadata.sorted_tables if table.name != "audit_sinks"]
# Rows with every column, and with values that a copy could easily change.
ROWS: dict[str, list[dict[str, Any]]] = {
    "users": [
        {
            "id": f"{n:08d}-0000-4000-8000-000000000000",
            "first_name": "Zoë\u2028'\"\\%s :x",
            "last_name": "李",
            "email": f"user{n}@example.com",
            "email_typed": None if n % 2 else f"User{n}@example.com",
            "date_of_birth": "0999-12-31 00:00:00.000000" if n else "1990-01-15 00:00:00.000000",
            "job_title": "",
            "role": "admin" if n == 1 else "user",
            "disabled": n % 2,
            "created_at": f"2026-03-29 02:30:00.{n:06d}",
        }
        for n in range(5)
    ],
    "webauthn_credentials": [
        {
            "id": f"c{n}",
            "user_id": f"{n % 5:08d}-0000-4000-8000-000000000000",
            "credential_id": bytes([n, 0, 255]) * 20,
            "public_key": bytes(range(256)),
            "sign_count": 2**32 - 1 - n,
            "transports": "internal,hybrid",
            "aaguid": None,
            "backup_eligible": 1,
            "backed_up": n % 2,
            "user_verified": 1,
            "name": "Jane's \N{KEY}",
            "created_at": "2026-01-01 00:00:00.000001",
            "last_used_at": "2026-12-31 23:59:59.999999" if n else None,
        }
        for n in range(7)
    ],
    "audit_logs": [
        {
            "id": f"a{n}",
            "event_type": "login_complete",
            "user_email": "jane@example.com",
            "user_id": f"{n % 5:08d}-0000-4000-8000-000000000000" if n % 3 else None,
            "subject_email": None,
            "subject_id": "gone",
            "ip_address": "2001:db8::1",
            "user_agent": "\\u0000 <img> \N{GRINNING FACE}",
            "success": n % 2,
            "reason": None if n % 2 else "signature",
            "details": "x" * 500,
            "request_id": "r",
            # As the sqlite3 shell and older rows write it.
            "created_at": "2026-01-01 00:00:00" if n == 0 else f"2026-01-01 00:00:00.{n:06d}",
        }
        for n in range(2500)
    ],
}


def insert(file: Path, table: str, *rows: dict[str, Any]) -> None:
    """Insert as with the sqlite3 shell, which does not enforce foreign keys."""
    names = rows[0].keys()
    marks = ", ".join(f":{name}" for name in names)
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"
    with closing(sqlite3.connect(file)) as connection:
        connection.executemany(statement, rows)
        connection.commit()


def read(file: Path, query: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def migrated(file: Path) -> Path:
    options = {"isolation_level": None}
    engine = create_engine(f"sqlite:///{file}", poolclass=NullPool, connect_args=options)
    upgrade(engine)
    engine.dispose()
    return file


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A migrated SQLite database with rows in every table."""
    file = migrated(tmp_path / "app.db")
    for table, rows in ROWS.items():
        insert(file, table, *rows)
    return file


Copy = Callable[..., int]


@pytest.fixture
def copy(database: str) -> Copy:
    """Run the command, into an empty database."""

    def run(file: Path, *more: str, to: str = database) -> int:
        return main(["copy-database", "--from", f"sqlite:///{file}", "--to", to, *more], {})

    return run


def everything(url: str, table: str) -> list[dict[str, Any]]:
    """The rows on PostgreSQL, with times as SQLite writes them."""
    rows = production.rows(url.rpartition("/")[2], f"SELECT * FROM {table} ORDER BY id", ())
    return [
        {
            name: value.strftime("%Y-%m-%d %H:%M:%S.%f") if hasattr(value, "strftime") else value
            for name, value in row.items()
            # Only PostgreSQL has this column, for forwarding.
            if name != "position"
        }
        for row in rows
    ]


def counts(url: str) -> list[int]:
    return [len(everything(url, table)) for table in TABLES]


def test_every_column_of_every_row_arrives(
    copy: Copy, source: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ids, blobs, text in any script, and times to the microsecond."""
    assert copy(source) == 0
    for table, rows in ROWS.items():
        arrived = {row["id"]: row for row in everything(database, table)}
        assert arrived.keys() == {row["id"] for row in rows}
        for row in rows:
            whole = {
                name: value + ".000000"
                if name.endswith("_at") and value and len(value) == 19
                else value
                for name, value in row.items()
            }
            found = arrived[row["id"]]
            # strftime writes the year 999 with three digits.
            found = {
                name: v.rjust(26, "0") if name == "date_of_birth" else v
                for name, v in found.items()
            }
            assert {name: found[name] for name in whole} == whole
    printed = capsys.readouterr()
    for line in ("users: 5 rows", "webauthn_credentials: 7 rows", "audit_logs: 2500 rows"):
        assert line in printed.out
    assert "the same on both sides" in printed.out
    assert printed.err == ""


def test_every_table_of_the_models_is_filled_here() -> None:
    """The command takes the tables from the models; these rows must be of tables that exist."""
    assert set(ROWS) <= set(TABLES)


def test_a_passkey_registered_on_sqlite_logs_in_on_postgresql(
    tmp_path: Path, database: str, copy: Copy, device: SoftAuthenticator
) -> None:
    """So does a token that was issued before, because the secret is the same."""
    settings: dict[str, Any] = {"database_url": f"sqlite:///{tmp_path}/app.db", "redis_url": ""}
    with Service(tmp_path, **settings) as before:
        user = before.register(device)
        token = before.login(device)
        before.register(SoftAuthenticator(), person("bob"))
    assert copy(tmp_path / "app.db") == 0
    trail = everything(database, "audit_logs")
    assert trail == read(tmp_path / "app.db", "SELECT * FROM audit_logs ORDER BY id")
    with Service(tmp_path, database_url=database, redis_url=production.REDIS) as after:
        assert after.get(f"/users/{user['id']}", token).json() == user
        assert after.try_login(device).json()["user"]["id"] == user["id"]
        assert after.login(device, None)
        assert after.post("/register/begin", JANE).status_code == 409
    passkeys = everything(database, "webauthn_credentials")
    (count,) = (row["sign_count"] for row in passkeys if row["user_id"] == user["id"])
    assert count == device.passkeys[-1].sign_count == 3
    assert len(everything(database, "audit_logs")) > len(trail)


def test_a_link_to_a_deleted_user_is_emptied_and_reported(
    copy: Copy, source: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the foreign key would have done; the email in the audit row stays."""
    stray = {**ROWS["audit_logs"][1], "id": "stray", "user_id": "nobody"}
    insert(source, "audit_logs", stray, {**stray, "id": "stray 2"})
    assert copy(source) == 0
    (row,) = [row for row in everything(database, "audit_logs") if row["id"] == "stray"]
    assert row == {**row, "user_id": None, "user_email": "jane@example.com", "subject_id": "gone"}
    assert "2 had a user_id that no longer exists, now empty" in capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], code: int, url: str | None, word: str) -> None:
    """Expect one sentence, and nothing in the target."""
    said = capsys.readouterr().err
    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith("Refused: ")
    assert word in said
    assert said.endswith("Nothing was copied.\n")
    if url:
        assert counts(url) == [0] * len(TABLES)


def test_a_passkey_without_a_user_is_refused(
    copy: Copy, source: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """PostgreSQL cannot hold it, and the command must not delete a passkey."""
    insert(
        source,
        "webauthn_credentials",
        {**ROWS["webauthn_credentials"][0], "id": "x", "user_id": "y", "credential_id": b"z"},
    )
    refused(capsys, copy(source), database, "1 rows of webauthn_credentials have a user_id")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("details", "a\x00b"),
        ("success", "maybe"),
        ("success", 2**40),
        ("created_at", "yesterday"),
        ("user_agent", b"\xff"),
    ],
    ids=["NUL", "text in a number", "a huge number", "no time", "bytes in a text"],
)
def test_a_value_that_postgresql_does_not_accept_refuses_the_whole_copy(
    copy: Copy,
    source: Path,
    database: str,
    capsys: pytest.CaptureFixture[str],
    column: str,
    value: Any,
) -> None:
    """The tables before it are not copied either. SQLite accepts any value in any column."""
    insert(source, "audit_logs", {**ROWS["audit_logs"][1], "id": "zz", column: value})
    refused(capsys, copy(source), database, "audit_logs has a row that PostgreSQL does not accept")


@pytest.mark.parametrize("force", [[], ["--force"]], ids=["plain", "forced"])
def test_a_target_with_a_row_in_it_is_refused(
    copy: Copy, source: Path, database: str, capsys: pytest.CaptureFixture[str], force: list[str]
) -> None:
    """Whatever the row is, and --force does not change that."""
    name = database.rpartition("/")[2]
    production.execute(
        name, "INSERT INTO audit_logs (id, event_type, success) VALUES ('1', 'x', 1)"
    )
    refused(
        capsys, copy(source, *force), None, "audit_logs in the PostgreSQL database is not empty"
    )
    assert counts(database)[TABLES.index("users")] == 0


def test_a_second_copy_is_refused(
    copy: Copy, source: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert copy(source) == 0
    before = counts(database)
    capsys.readouterr()
    refused(capsys, copy(source), None, "is not empty")
    assert counts(database) == before


def test_another_revision_is_refused_on_either_side(
    copy: Copy, source: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, other = database.rpartition("/")[2], "UPDATE alembic_version SET version_num = '{}'"
    production.execute(name, other.format("9999"))
    refused(capsys, copy(source), database, "the PostgreSQL database is at revision 9999")
    production.execute(name, other.format(newest_revision()))
    with closing(sqlite3.connect(source)) as connection:
        connection.execute(other.format("0000"))
        connection.commit()
    refused(capsys, copy(source), database, "the SQLite database is at revision 0000")


def test_an_unmigrated_target_is_refused(
    copy: Copy, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(capsys, copy(source, to=f"{production.SERVER}/postgres"), None, "revision none")


def test_a_source_that_a_service_has_open_is_refused_unless_forced(
    tmp_path: Path, database: str, copy: Copy, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the service still writes would be lost."""
    settings: dict[str, Any] = {"database_url": f"sqlite:///{tmp_path}/app.db", "redis_url": ""}
    with Service(tmp_path, **settings) as service:
        user = service.register(SoftAuthenticator())
        # Drop what the service printed at its start.
        capsys.readouterr()
        refused(capsys, copy(tmp_path / "app.db"), database, "is open in another process")
        assert copy(tmp_path / "app.db", "--force") == 0
        assert [row["id"] for row in everything(database, "users")] == [user["id"]]
        # The service still works.
        service.register(SoftAuthenticator(), person("bob"))


def test_the_source_is_left_as_it_was(copy: Copy, source: Path) -> None:
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = source.read_bytes()
    assert copy(source) == 0
    assert source.read_bytes() == before
    assert [path.name for path in source.parent.iterdir()] == ["app.db"]


def test_a_target_that_does_not_answer_is_refused_and_its_password_hidden(
    copy: Copy, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = copy(source, to="postgresql://auth:hunter2@127.0.0.1:1/auth")
    said = capsys.readouterr()
    assert code == 1
    assert "the database postgresql://127.0.0.1:1/auth failed" in said.err
    assert "hunter2" not in said.out + said.err


def test_the_target_can_come_from_the_environment(
    source: Path, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a file, so that no password appears in the list of processes."""
    secret = tmp_path / "database_url"
    secret.write_text(database)
    arguments = ["copy-database", "--from", f"sqlite:///{source}"]
    assert main(arguments, {}) == 1
    assert "the target must be postgresql" in capsys.readouterr().err
    assert main(arguments, {"DATABASE_URL_FILE": str(secret)}) == 0
    assert counts(database) == [len(ROWS.get(table, ())) for table in TABLES]


def test_a_table_of_somebody_else_is_not_copied_and_reported(
    copy: Copy, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("CREATE TABLE notes (x)")
    assert copy(source) == 0
    assert "notes: not a table of this service" in capsys.readouterr().out


@pytest.mark.parametrize("table", ["users", "webauthn_credentials", "audit_logs"])
def test_a_difference_between_the_two_sides_is_found(
    copy: Copy, source: Path, database: str, table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A trigger in the target changes one letter: nothing is committed."""
    name = database.rpartition("/")[2]
    column = {"users": "job_title", "audit_logs": "details"}.get(table, "name")
    production.execute(
        name,
        f"CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN IF NEW.id LIKE '%1%' THEN NEW.{column} := 'X'; END IF; RETURN NEW; END$$;"
        f"CREATE TRIGGER meddle BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION meddle()",
    )
    try:
        refused(capsys, copy(source), database, f"{table} is not the same on both sides")
    finally:
        production.execute(name, "DROP FUNCTION meddle CASCADE")


def test_rows_are_read_and_written_in_batches(
    copy: Copy, source: Path, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    """Memory holds one batch, however long the trail is."""
    sizes: list[int] = []
    batches = copying._batches

    def measured(*arguments: Any) -> Iterator[list[dict[str, Any]]]:
        for batch in batches(*arguments):
            sizes.append(len(batch))
            yield batch

    monkeypatch.setattr(copying, "_batches", measured)
    assert copy(source) == 0
    assert max(sizes) == copying.BATCH_ROWS
    assert sum(sizes) == sum(map(len, ROWS.values()))


@pytest.fixture
def later() -> MetaData:
    """A table that a later migration might add: numbered by the database, linked to itself."""
    metadata = MetaData()
    Table(
        "a_sink",
        metadata,
        Column("number", Integer, primary_key=True),
        Column("before", Integer, ForeignKey("a_sink.number")),
        Column("hash", LargeBinary, nullable=False),
        Column("at", UtcDateTime),
        Column("name", Text),
    )
    return metadata


async def _into(url: str, source: Any, metadata: MetaData) -> list[Any]:
    engine = open_engine(url)
    async with engine.begin() as target:
        await target.run_sync(metadata.create_all)
        tables = metadata.sorted_tables
        copied = await target.run_sync(lambda tx: list(copying.copy(source, tx, tables)))
        # The next row, which the database numbers.
        await target.execute(text("INSERT INTO a_sink (hash) VALUES ('x')"))
        rows = await target.execute(text("SELECT number, before FROM a_sink ORDER BY number"))
        found = [tuple(row) for row in rows]
        await target.rollback()
    await engine.dispose()
    return [copied, found]


def test_a_table_of_a_later_migration_is_copied_by_its_model(
    source: Path, database: str, later: MetaData
) -> None:
    """The numbers continue after the last one; a broken link to itself is emptied."""
    engine = create_engine(f"sqlite:///{source}", poolclass=NullPool)
    later.create_all(engine)
    engine.dispose()
    for number, before in ((1, None), (2, 1), (7, 99)):
        insert(source, "a_sink", {"number": number, "before": before, "hash": b"\x00"})
    with open_source(source, shared=False) as tx:
        copied, found = asyncio.run(_into(database, tx, later))
    assert [(table.rows, dict(table.emptied)) for table in copied] == [(3, {"before": 1})]
    assert found == [(1, None), (2, 1), (7, None), (8, None)]
