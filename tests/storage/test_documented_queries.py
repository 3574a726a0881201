"""The six queries of the documents, run as they stand, on a database filled by real ceremonies."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from devtools.authenticator import Flaw, SoftAuthenticator
from tests.support.clock import HeldClock
from tests.support.service import Service, person

FAILED_LOGINS = (
    "SELECT created_at, user_email, ip_address, user_agent, details FROM audit_logs "
    "WHERE event_type='login_complete' AND success=0 ORDER BY created_at DESC;"
)
REPEATED_LOGINS = (
    "SELECT user_email, ip_address, COUNT(*) AS attempts FROM audit_logs "
    "WHERE event_type='login_complete' AND success=1 "
    "GROUP BY user_email, ip_address HAVING COUNT(*) > 1;"
)
REFUSED_ACCESS = (
    "SELECT created_at, user_email, ip_address, details FROM audit_logs "
    "WHERE event_type='user_access' AND success=0 ORDER BY created_at DESC;"
)
BY_THE_ADMIN = (
    "SELECT * FROM audit_logs WHERE user_email='admin@example.com' AND event_type='user_access';"
)
OF_JANE = (
    "SELECT created_at, event_type, ip_address, success, details FROM audit_logs "
    "WHERE user_email='jane@example.com' ORDER BY created_at DESC;"
)
USERS = "SELECT id, email, first_name, last_name, role FROM users;"
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """Jane and an admin: three logins, two failures, three reads, one of them refused."""
    folder, clock = tmp_path_factory.mktemp("history"), HeldClock()
    with Service(folder, clock=clock) as service:
        laptop, phone = SoftAuthenticator(), SoftAuthenticator()
        jane = service.register(laptop, person("jane"))
        admin = service.register(phone, person("admin"))
        service.rows("UPDATE users SET role='admin' WHERE email='admin@example.com';")
        clock.advance(1)
        token, other = service.login(laptop), service.login(phone, "admin@example.com")
        clock.advance(1)
        service.login(laptop)
        clock.advance(1)
        service.try_login(laptop, flaw=Flaw(flip_signature_bit=True))
        clock.advance(1)
        service.complete_login("nobody@example.com", {})
        clock.advance(1)
        service.get(f"/users/{jane['id']}", token)
        service.get(f"/users/{admin['id']}", token)
        service.get(f"/users/{jane['id']}", other)
    with closing(sqlite3.connect(folder / "app.db")) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def run(history: sqlite3.Connection, query: str) -> list[dict[str, object]]:
    return [dict(row) for row in history.execute(query)]


def test_failed_logins_newest_first(history: sqlite3.Connection) -> None:
    """Who tried to get in, from where, with what, and why it failed."""
    unknown, wrong = run(history, FAILED_LOGINS)
    assert unknown["user_email"] == "nobody@example.com"
    assert unknown["details"] == "Login refused for nobody@example.com: member_response"
    assert wrong["user_email"] == "jane@example.com"
    assert wrong["details"] == "Login refused for Jane Doe: signature"
    for row in (unknown, wrong):
        assert row["ip_address"] == "127.0.0.1"
        assert str(row["user_agent"]).startswith("python-httpx/")
        assert MOMENT.fullmatch(str(row["created_at"]))


def test_accounts_with_several_logins(history: sqlite3.Connection) -> None:
    """Whoever logged in more than once from one address."""
    assert run(history, REPEATED_LOGINS) == [
        {"user_email": "jane@example.com", "ip_address": "127.0.0.1", "attempts": 2}
    ]


def test_refused_accesses(history: sqlite3.Connection) -> None:
    """Who reached for what was not theirs: both parties are named."""
    (row,) = run(history, REFUSED_ACCESS)
    assert row["user_email"] == "jane@example.com"
    assert row["details"] == "Access to user Admin Doe by Jane Doe (role: user) refused: forbidden"


def test_what_the_admin_has_read(history: sqlite3.Connection) -> None:
    """Under the admin's own address, for the admin is who acted."""
    (row,) = run(history, BY_THE_ADMIN)
    assert row["details"] == "User Jane Doe accessed by Admin Doe (role: admin)"
    assert row["success"] == 1


def test_everything_about_jane_newest_first(history: sqlite3.Connection) -> None:
    """The whole story of one account, in its order."""
    rows = run(history, OF_JANE)
    moments = [str(row["created_at"]) for row in rows]
    assert moments == sorted(moments, reverse=True)
    told = sorted((str(row["event_type"]), row["success"]) for row in rows)
    assert told == [
        ("login_begin", 1),
        ("login_begin", 1),
        ("login_begin", 1),
        ("login_complete", 0),
        ("login_complete", 1),
        ("login_complete", 1),
        ("registration_begin", 1),
        ("registration_complete", 1),
        ("user_access", 0),
        ("user_access", 1),
    ]


def test_the_accounts(history: sqlite3.Connection) -> None:
    """Who there is, and in which role."""
    rows = run(history, USERS)
    assert {(row["email"], row["first_name"], row["role"]) for row in rows} == {
        ("jane@example.com", "Jane", "user"),
        ("admin@example.com", "Admin", "admin"),
    }


PLANS = {
    FAILED_LOGINS: "USING INDEX ix_audit_logs_failures",
    REFUSED_ACCESS: "USING INDEX ix_audit_logs_failures",
    REPEATED_LOGINS: "USING COVERING INDEX ix_audit_logs_logins",
    BY_THE_ADMIN: "USING INDEX ix_audit_logs_user_email",
    OF_JANE: "USING INDEX ix_audit_logs_user_email",
}


@pytest.mark.parametrize("query", PLANS)
def test_a_question_is_answered_from_the_index_that_was_made_for_it(
    history: sqlite3.Connection, query: str
) -> None:
    """At ten million rows that is the difference between four seconds and a blink."""
    steps = [row["detail"] for row in history.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert any(PLANS[query] in step for step in steps), steps
    # What failed stands in the index in the order that is asked for.
    sorts = any("TEMP B-TREE" in step for step in steps)
    assert sorts is (query == OF_JANE)
