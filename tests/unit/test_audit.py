"""Every event as its row, and every row as its line in the log."""

from __future__ import annotations

import logging
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

import audit
from audit import Caller, Event, Principal
from core.database.interface import Listener, Transaction
from core.database.sqlite_connection import SqliteTransaction
from stores import audit_logs
from stores.users import UserRow

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CALLER = Caller("192.0.2.7", "curl/8", "r-1", AT)
JANE = Principal("1", "jane@x", "Jane Doe", "user")
BOB = Principal("2", "bob@x", "Bob Roe", "admin")
EVENTS: list[tuple[Event, str, int, str | None, str]] = [
    (audit.RegistrationBegun(JANE), "registration_begin", 1, None,
     "Registration begun for Jane Doe"),
    (audit.RegistrationBeginRefused(JANE, reason="email_taken"), "registration_begin", 0,
     "email_taken", "Registration not begun for Jane Doe: email_taken"),
    (audit.RegistrationCompleted(JANE, aaguid="a-1"), "registration_complete", 1, None,
     "User Jane Doe registered with a passkey (aaguid: a-1)"),
    (audit.RegistrationCompleted(JANE), "registration_complete", 1, None,
     "User Jane Doe registered with a passkey (aaguid: )"),
    (audit.RegistrationRefused(JANE, reason="origin"), "registration_complete", 0, "origin",
     "Registration refused for Jane Doe: origin"),
    (audit.LoginBegun(JANE), "login_begin", 1, None, "Login begun for Jane Doe"),
    (audit.LoginBegun(), "login_begin", 1, None, "Usernameless login begun"),
    (audit.LoginBeginRefused(JANE, reason="unknown_email"), "login_begin", 0, "unknown_email",
     "Login begun for Jane Doe: unknown_email"),
    (audit.LoginCompleted(BOB), "login_complete", 1, None, "User Bob Roe logged in (role: admin)"),
    (audit.LoginRefused(JANE, reason="signature"), "login_complete", 0, "signature",
     "Login refused for Jane Doe: signature"),
    (audit.CloneSuspected(JANE), "login_complete", 0, "possible_clone",
     "Login refused for Jane Doe: possible clone, the sign count did not increase"),
    (audit.ProfileRead(BOB, JANE), "user_access", 1, None,
     "User Jane Doe accessed by Bob Roe (role: admin)"),
    (audit.ProfileRefused(JANE, BOB, reason="forbidden"), "user_access", 0, "forbidden",
     "Access to user Bob Roe by Jane Doe (role: user) refused: forbidden"),
    (audit.TokenRejected(reason="expired"), "token_rejected", 0, "expired",
     "Access token rejected: expired"),
    (audit.RateLimited(JANE, reason="email", action="login_begin", per_minute=5), "rate_limited",
     0, "email", "More than 5 a minute of login_begin (limit: email)"),
    (audit.RateLimited(), "rate_limited", 0, None, "More than 0 a minute of  (limit: None)"),
]  # fmt: skip


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The rows that would be inserted. The test calls the after-commit callbacks itself."""
    written: list[dict[str, Any]] = []

    def add(tx: Transaction, row: dict[str, Any]) -> None:
        assert isinstance(tx, SqliteTransaction)
        written.append(row)

    monkeypatch.setattr(audit_logs, "add", add)
    return written


def record(event: Event, *listeners: Listener) -> list[Callable[[], None]]:
    """What is called after the commit."""
    with closing(sqlite3.connect(":memory:")) as connection:
        tx = SqliteTransaction(connection, listeners=listeners)
        audit.record(tx, CALLER, event)
        return tx.callbacks


@pytest.mark.parametrize(("event", "kind", "success", "reason", "details"), EVENTS)
def test_an_event_is_this_row_to_the_letter(
    rows: list[dict[str, Any]],
    event: Event,
    kind: str,
    success: int,
    reason: str | None,
    details: str,
) -> None:
    record(event)
    (row,) = rows
    # The id has that time, or a later one that an earlier id had: ids never run backwards.
    assert UUID(row.pop("id")).int >> 80 >= int(AT.timestamp() * 1000)
    subject = event.subject or event.actor
    assert row == {
        "event_type": kind,
        "user_email": event.actor.email,
        "user_id": event.actor.id,
        "subject_email": subject.email,
        "subject_id": subject.id,
        "ip_address": "192.0.2.7",
        "user_agent": "curl/8",
        "success": success,
        "reason": reason,
        "details": details,
        "request_id": "r-1",
        "created_at": AT,
    }
    assert type(row["success"]) is int


def test_the_subject_of_an_event_need_not_be_its_actor(rows: list[dict[str, Any]]) -> None:
    record(audit.ProfileRead(BOB, JANE))
    record(audit.LoginCompleted(JANE))
    names = ("user_id", "user_email", "subject_id", "subject_email")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("2", "bob@x", "1", "jane@x"),
        ("1", "jane@x", "1", "jane@x"),
    ]


@pytest.mark.parametrize(
    ("event", "level"),
    [(audit.LoginCompleted(JANE), logging.INFO), (audit.LoginRefused(JANE), logging.WARNING)],
)
def test_a_row_is_logged_once_it_is_durable(
    rows: list[dict[str, Any]], caplog: pytest.LogCaptureFixture, event: Event, level: int
) -> None:
    """E6: and not before. A refusal is a warning."""
    with caplog.at_level(logging.INFO, "audit"):
        (later,) = record(event)
        assert caplog.records == []
        later()
    (line,) = caplog.records
    assert (line.name, line.levelno, line.getMessage()) == ("audit", level, "login_complete")
    assert vars(line)["fields"] is rows[0]


def test_a_party_is_called_by_the_best_name_there_is() -> None:
    assert str(JANE) == "Jane Doe"
    assert str(Principal("1", "jane@x")) == "jane@x"
    assert str(Principal("1", None)) == "1"
    assert str(audit.ANONYMOUS) == "unknown"
    assert (audit.ANONYMOUS.id, audit.ANONYMOUS.email) == (None, None)
    assert (audit.ANONYMOUS.name, audit.ANONYMOUS.role) == ("", "")


PLAIN = [
    "Jane Doe",
    "O'Brien",
    "Mar\u00eda-Jos\u00e9",
    "Jane A. Doe",
    "\u845b\u57ce",
    "D\u2019Arcy",
    "\u0915\u094d\u200d\u0937",
]


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_name_is_not_quoted(name: str) -> None:
    """B7: the contract's sentence is `User Jane Doe accessed by Jane Doe (role: user)`."""
    assert str(Principal("1", "jane@x", name)) == name


MISLEADING = {
    "Root Admin (role: admin) logged in": '"Root Admin (role: admin) logged in"',
    "Jane Doe accessed by Root": '"Jane Doe accessed by Root"',
    "Jane LOGGED IN": '"Jane LOGGED IN"',
    "Jane logged-in": '"Jane logged-in"',
    "Jane: origin": '"Jane: origin"',
    'Jane" (role: admin)': '"Jane\\" (role: admin)"',
    "Jane\\": '"Jane\\\\"',
    "Jane2": '"Jane2"',
    "Jane_Doe": '"Jane_Doe"',
    "\uff28\uff08": '"\uff28\uff08"',
}


@pytest.mark.parametrize(("name", "shown"), MISLEADING.items())
def test_a_name_that_could_be_read_as_a_fact_is_quoted(name: str, shown: str) -> None:
    """B7: and it cannot leave its quotes."""
    event = audit.ProfileRead(BOB, Principal("1", "jane@x", name, "user"))
    assert event.details == f"User {shown} accessed by Bob Roe (role: admin)"


@pytest.mark.parametrize("event", Event.__subclasses__(), ids=lambda event: event.__name__)
def test_the_sentence_of_every_event_cannot_be_a_plain_name(event: type[Event]) -> None:
    """B7: also that of an event that is added later."""
    sentence = " ".join(re.findall(r"[a-z]+", re.sub(r"{[^}]*}", "", event.sentence)))
    assert str(Principal("1", "jane@x", sentence)) == f'"{sentence}"'


def test_a_party_is_the_account_it_is_of() -> None:
    user = UserRow("1", "Jane", "Doe", "jane@x", None, AT, "Engineer", "user", 0, AT)
    assert Principal.of(user) == JANE


def test_an_event_of_nobody_about_nobody_has_no_reason() -> None:
    event = audit.LoginBegun()
    assert (event.actor, event.subject, event.reason) == (audit.ANONYMOUS, None, None)


def test_the_trail_has_its_own_logger() -> None:
    assert audit.logger.name == "audit"


def test_listeners_get_every_row_once_it_is_durable(rows: list[dict[str, Any]]) -> None:
    told: list[Any] = []
    after = [record(audit.LoginRefused(JANE), told.append, told.append) for _ in range(3)]
    assert told == []
    for callbacks in after:
        for callback in callbacks:
            callback()
    assert told == [row for row in rows for _ in range(2)]


def test_a_log_record_has_its_level_its_time_and_its_message(
    rows: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    begun = time.time()
    with caplog.at_level(logging.INFO, "audit"):
        for event in (audit.LoginCompleted(JANE), audit.LoginRefused(JANE)):
            for callback in record(event):
                callback()
    logged = caplog.records[-2:]
    assert [each.levelname for each in logged] == ["INFO", "WARNING"]
    assert all(begun <= each.created <= time.time() for each in logged)
    assert [each.getMessage() for each in logged] == ["login_complete"] * 2
