"""The tables as SQLite shows them: what people see who open app.db by hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.database.sqlite import SqliteDatabase
from tests.storage.units import count, run

# The contract's columns with their types; further ones are allowed.
COLUMNS = {
    "users": {
        "id": "TEXT",
        "first_name": "TEXT",
        "last_name": "TEXT",
        "email": "TEXT",
        "date_of_birth": "DATETIME",
        "job_title": "TEXT",
        "role": "TEXT",
        "created_at": "DATETIME",
    },
    "webauthn_credentials": {
        "id": "TEXT",
        "user_id": "TEXT",
        "credential_id": "BLOB",
        "public_key": "BLOB",
        "sign_count": "INTEGER",
        "created_at": "DATETIME",
    },
    "audit_logs": {
        "id": "TEXT",
        "event_type": "TEXT",
        "user_email": "TEXT",
        "user_id": "TEXT",
        "ip_address": "TEXT",
        "user_agent": "TEXT",
        "success": "INTEGER",
        "details": "TEXT",
        "created_at": "DATETIME",
    },
}
# Table, column, unique.
INDEXES = {
    ("users", "email", 1),
    ("webauthn_credentials", "user_id", 0),
    ("webauthn_credentials", "credential_id", 1),
    ("audit_logs", "event_type", 0),
    ("audit_logs", "user_email", 0),
    ("audit_logs", "created_at", 0),
}
DEFAULTS = {("users", "role"): "'user'", ("webauthn_credentials", "sign_count"): "0"}
JANE = (
    "INSERT INTO users (id, first_name, last_name, email, date_of_birth, job_title) "
    "VALUES ('1', 'Jane', 'Doe', 'jane@example.com', '1990-01-15', 'Engineer')"
)
PASSKEY = (
    "INSERT INTO webauthn_credentials (id, user_id, credential_id, public_key) "
    "VALUES (?, ?, x'00', x'00')"
)


@pytest.fixture
def shell(db: SqliteDatabase, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """`sqlite3 app.db`, with foreign keys on as the service has them."""
    run(db, lambda: db.read(count))
    with closing(sqlite3.connect(tmp_path / "app.db", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys=ON")
        yield connection


def columns(shell: sqlite3.Connection, table: str) -> dict[str, sqlite3.Row]:
    return {row["name"]: row for row in shell.execute(f"PRAGMA table_info({table})")}


@pytest.mark.parametrize("table", COLUMNS)
def test_a_table_has_the_columns_of_the_contract(shell: sqlite3.Connection, table: str) -> None:
    """Names and types, letter for letter."""
    found = {name: row["type"] for name, row in columns(shell, table).items()}
    assert {name: found.get(name) for name in COLUMNS[table]} == COLUMNS[table]


@pytest.mark.parametrize("table", COLUMNS)
def test_a_table_is_keyed_by_its_id(shell: sqlite3.Connection, table: str) -> None:
    """A text, unique and never null."""
    keys = {name: row["notnull"] for name, row in columns(shell, table).items() if row["pk"]}
    assert keys == {"id": 1}


def test_the_indexes_are_those_of_the_contract(shell: sqlite3.Connection) -> None:
    """What logins, audits and the documented queries look things up by."""
    found = {
        (
            table,
            shell.execute(f"PRAGMA index_info({index['name']})").fetchone()["name"],
            index["unique"],
        )
        for table in COLUMNS
        for index in shell.execute(f"PRAGMA index_list({table})")
    }
    assert found >= INDEXES


@pytest.mark.parametrize(("table", "column"), DEFAULTS)
def test_a_column_has_its_default(shell: sqlite3.Connection, table: str, column: str) -> None:
    """A row inserted by hand gets it, too."""
    assert columns(shell, table)[column]["dflt_value"] == DEFAULTS[table, column]


def test_a_row_inserted_by_hand_has_a_role_and_a_time(shell: sqlite3.Connection) -> None:
    """The contract's columns are enough."""
    shell.execute(JANE)
    (row,) = shell.execute("SELECT role, created_at FROM users")
    assert row["role"] == "user"
    assert row["created_at"].startswith("20")


def test_foreign_keys_are_those_of_the_contract(shell: sqlite3.Connection) -> None:
    """A passkey goes with its user; an audit row stays, without the link."""
    found = {
        (table, key["from"], key["table"], key["to"], key["on_delete"])
        for table in COLUMNS
        for key in shell.execute(f"PRAGMA foreign_key_list({table})")
    }
    assert found == {
        ("webauthn_credentials", "user_id", "users", "id", "CASCADE"),
        ("audit_logs", "user_id", "users", "id", "SET NULL"),
    }


@pytest.mark.parametrize(
    "statement",
    [
        JANE.replace("'1'", "'2'"),
        JANE.replace("'jane@example.com'", "'bob@example.com'"),
        JANE.replace("'jane@example.com'", "NULL").replace("'1'", "'2'"),
        "UPDATE users SET role = 'root'",
        PASSKEY.replace("?, ?", "'2', '1'"),
        PASSKEY.replace("?, ?", "'3', 'nobody'").replace("x'00', x'00'", "x'01', x'00'"),
        "INSERT INTO audit_logs (id, event_type) VALUES ('1', 'login_begin')",
    ],
    ids=[
        "an email twice",
        "an id twice",
        "no email",
        "an unknown role",
        "a credential id twice",
        "a passkey of nobody",
        "an event without an outcome",
    ],
)
def test_the_database_itself_refuses_what_must_never_be(
    shell: sqlite3.Connection, statement: str
) -> None:
    """A12 B4: unique and sound, whoever writes."""
    shell.execute(JANE)
    shell.execute(PASSKEY, ("1", "1"))
    with pytest.raises(sqlite3.IntegrityError):
        shell.execute(statement)
