"""Rows as the first revision's service wrote them, and the steps from there to the newest."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from alembic.script import ScriptDirectory

from core.database.schema_version import MIGRATIONS

FIRST = "0001"
# The columns of the first revision; `x` stands for how a database writes bytes.
ROWS: dict[str, tuple[str, Callable[[Callable[[str], str]], Iterable[str]]]] = {
    "users": (
        "id, first_name, last_name, email, email_typed, date_of_birth, job_title, role, disabled, "
        "created_at",
        lambda x: (
            f"'u{n}', 'Zoë', 'O''Brien', 'u{n}@example.com', NULL, '1990-01-15 00:00:00', "
            f"'Engineer', '{'admin' if n == 1 else 'user'}', {n % 2}, "
            f"'2026-01-01 10:00:00.00000{n}'"
            for n in range(3)
        ),
    ),
    "webauthn_credentials": (
        "id, user_id, credential_id, public_key, sign_count, transports, aaguid, backup_eligible, "
        "backed_up, user_verified, name, created_at, last_used_at",
        lambda x: (
            f"'c{n}', 'u{n}', {x(f'0{n}ff00')}, {x('a50102')}, {2**32 - 1 - n}, 'internal', NULL, "
            f"1, 0, 1, NULL, '2026-01-01 10:00:00.123456', NULL"
            for n in range(3)
        ),
    ),
    "audit_logs": (
        "id, event_type, user_email, user_id, subject_email, subject_id, ip_address, user_agent, "
        "success, reason, details, request_id, created_at",
        lambda x: (
            f"'a{n:03d}', 'login_complete', 'u0@example.com', {'NULL' if n % 2 else repr('u0')}, "
            f"NULL, NULL, '2001:db8::1', 'curl', {n % 2}, NULL, 'x', 'r{n}', "
            f"'2026-01-01 10:00:{n % 60:02d}.654321'"
            for n in range(100)
        ),
    ),
}


def revisions() -> list[str]:
    """Every revision there is, from the first to the newest."""
    walked = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    return [script.revision for script in walked][::-1]


def insertions(write_bytes: Callable[[str], str]) -> list[str]:
    """Statements that fill the tables of the first revision; `write_bytes` is given hex."""
    return [
        f"INSERT INTO {table} ({columns}) VALUES ({values})"
        for table, (columns, rows) in ROWS.items()
        for values in rows(write_bytes)
    ]


def queries() -> list[str]:
    """What those rows must still answer, whatever columns came later."""
    return [f"SELECT {columns} FROM {table} ORDER BY id" for table, (columns, _) in ROWS.items()]
