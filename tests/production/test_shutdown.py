"""SIGTERM on PostgreSQL and Redis: the same good end as on SQLite."""

from __future__ import annotations

from pathlib import Path

from tests.operations import stopping
from tests.support import production

QUERY = (
    "SELECT request_id FROM audit_logs WHERE event_type = 'login_complete' AND success = 1 "
    "ORDER BY id"
)


def logins(database: str) -> list[str]:
    return [row["request_id"] for row in production.rows(database.rpartition("/")[2], QUERY, ())]


def settings(database: str) -> dict[str, str]:
    return {"DATABASE_URL": database, "REDIS_URL": production.REDIS}


def test_what_was_begun_is_finished(tmp_path: Path, database: str) -> None:
    with stopping.ending(tmp_path, 20, **settings(database)) as server:
        stopping.finishes_what_was_begun(server, lambda: logins(database))


def test_under_load_every_request_is_answered_or_refused(tmp_path: Path, database: str) -> None:
    with stopping.ending(tmp_path, 8, **settings(database)) as server:
        stopping.answers_or_refuses(server, lambda: logins(database))
