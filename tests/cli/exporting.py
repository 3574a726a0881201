"""Runs `python -m cli audit-export` in this process, and checks it on either database."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

import audit
from audit import Caller, LoginBegun, LoginRefused, Principal, ProfileRead
from cli.__main__ import main
from core.database.interface import Transaction
from tests.support.service import Service

JANE, BOB = Principal(None, "jane@example.com"), Principal(None, "bob@example.com")
USER_AGENT = "=cmd|' /C calc'!A0"
# Age, address of the client, event: oldest first.
EVENTS = [
    (timedelta(days=30), "203.0.113.7", LoginBegun(JANE)),
    (timedelta(days=3), "203.0.113.7", LoginRefused(JANE, reason="bad_signature")),
    (timedelta(days=2), "2001:db8::1", ProfileRead(BOB, JANE)),
    (timedelta(days=1), "203.0.113.9", LoginBegun(BOB)),
]
TYPES = ["login_begin", "login_complete", "user_access", "login_begin"]


class Done(NamedTuple):
    """The result of one run of the command."""

    status: int
    stdout: str
    stderr: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The JSON objects that a successful run has printed."""
        assert (self.status, self.stderr) == (0, "")
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def types(self) -> list[str]:
        return [row["event_type"] for row in self.rows]


Export = Callable[..., Done]


def exporter(url: str, capture: pytest.CaptureFixture[str]) -> Export:
    """A function that runs the command on the database `url` with the given arguments."""

    def export(*arguments: str) -> Done:
        capture.readouterr()
        try:
            status = main(["audit-export", *arguments], {"DATABASE_URL": url})
        except SystemExit as error:
            status = int(str(error.code))
        return Done(status, *capture.readouterr())

    return export


def record_events(service: Service) -> None:
    def unit(tx: Transaction) -> None:
        for age, ip_address, event in EVENTS:
            audit.record(tx, Caller(ip_address, USER_AGENT, "r", datetime.now(UTC) - age), event)

    service.run(service.parts.db.write(unit))


def check_filters(export: Export) -> None:
    """Every filter, alone and with others. The events always come oldest first."""
    assert export().types == TYPES
    assert export("--since", "7d").types == TYPES[1:]
    assert export("--since", "7d", "--until", "36h").types == TYPES[1:3]
    several = export("--event-type", "login_begin", "--event-type", "user_access")
    assert several.types == ["login_begin", "user_access", "login_begin"]
    assert export("--email", "JANE@example.com").types == TYPES[:3]
    assert export("--limit", "2").types == TYPES[:2]
    assert export("--newest", "2").types == TYPES[2:]
    assert export("--newest", "1", "--email", "jane@example.com").types == ["user_access"]
    assert export("--newest", "9").types == TYPES
    assert export("--failed").types == ["login_complete"]
    assert export("--reason", "bad_signature").types == ["login_complete"]
    assert export("--ip", "203.0.113.7").types == TYPES[:2]
    assert export("--ip", "::ffff:203.0.113.7", "--failed").types == ["login_complete"]
    assert export("--ip", "2001:0DB8:0::1").types == ["user_access"]


def check_unknown_reason(export: Export) -> None:
    """A misspelt reason is an error that lists the known ones; a known one may have no event."""
    misspelt = export("--reason", "bad_signatur", "--format", "csv")
    assert (misspelt.status, misspelt.stdout) == (1, "")
    assert misspelt.stderr == (
        "No event has the reason 'bad_signatur', choose from bad_signature, possible_clone\n"
    )
    clone = export("--reason", "possible_clone")
    assert (clone.status, clone.stdout, clone.stderr) == (0, "", "No event matches.\n")
