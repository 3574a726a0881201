"""Line breaks, escape sequences and floods in what callers write: one line per event, one row."""

from __future__ import annotations

import json

import pytest

from tests.features.http.problems import invalid
from tests.support.app_log import lines
from tests.support.cases import crossed
from tests.support.service import JANE, Service

MAX_USER_AGENT = 512
# As bytes: this is what a header can carry in process, where no server has looked at it yet.
AGENTS = {
    "a line of its own": b'curl\r\n{"event_type": "login_complete", "success": 1}',
    "a line feed": b"a\nb",
    "a carriage return": b"a\rb",
    "an ANSI escape": b"\x1b[2J\x1b[31mroot\x1b[0m",
    "an operating system command": b"\x1b]0;title\x07",
    "a C1 control": b"\x9b31m",
    "a NUL": b"a\x00b",
    "a backspace": b"a\x08\x08b",
    "a delete": b"a\x7fb",
    "a tab": b"a\tb",
    "U+2028 in UTF-8": "a\u2028b".encode(),
    "U+202E in UTF-8": "a\u202eb".encode(),
    "a no-break space": b"a\xa0b",
    "latin-1": b"\xe9\xff",
    "a quote and a backslash": b'"\\" \\n',
    "an SQL string": b"'); DROP TABLE audit_logs;--",
    "64 kB": b"U" * 65536,
    "64 kB of escapes": b"\x1b" * 65536,
}
TEXTS = {
    "a line feed": "Jane\nDoe",
    "CR LF": "Jane\r\nDoe",
    "an ANSI escape": "\x1b[31mJane",
    "a C1 control": "Jane\x9b31m",
    "a tab": "Jane\tDoe",
    "a delete": "Jane\x7f",
    "U+2028": "Jane\u2028Doe",
    "U+2029": "Jane\u2029Doe",
    "a right-to-left override": "\u202eenaJ",
    "a zero-width space": "Ja\u200bne",
    "a byte order mark": "\ufeffJane",
    "a private character": "Jane\ue000",
    "an unassigned character": "Jane\u0378",
    "101 characters": "J" * 101,
    "30 kB": "J" * 30_000,
}


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
def test_a_hostile_user_agent_is_one_printable_row_and_one_line(
    service: Service, agent: bytes
) -> None:
    """B7: escaped and cut; nothing in a terminal moves, nothing starts a line of its own."""
    service.request("POST", "/login/begin", json={}, headers={b"User-Agent": agent})
    (row,) = service.audit()
    assert row["user_agent"].isprintable()
    assert 0 < len(row["user_agent"]) <= MAX_USER_AGENT
    (line,) = lines(service, 1)
    assert line["user_agent"] == row["user_agent"]


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
def test_the_log_is_plain_ascii_with_one_line_per_event(service: Service, agent: bytes) -> None:
    """B7: whatever reads app.log line by line sees one event per line."""
    service.request("POST", "/login/begin", json={}, headers={b"User-Agent": agent})
    lines(service, 1)
    raw = (service.folder / "app.log").read_bytes()
    assert raw.count(b"\n") == 1
    assert raw.endswith(b"\n")
    assert all(0x20 <= byte < 0x7F for byte in raw[:-1])


def test_a_plain_user_agent_is_kept_as_it_is(service: Service) -> None:
    """B7: escaping touches nothing that is harmless."""
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"
    service.post("/login/begin", {}, headers={"User-Agent": agent})
    assert service.last_audit("login_begin")["user_agent"] == agent


def test_a_missing_user_agent_is_an_empty_one(service: Service) -> None:
    """B7: no header, no crash."""

    async def without_agent() -> None:
        request = service.client.build_request("POST", "/login/begin", json={})
        del request.headers["User-Agent"]
        assert (await service.client.send(request)).status_code == 200

    service.run(without_agent())
    assert service.last_audit("login_begin")["user_agent"] == ""


@pytest.mark.parametrize(
    ("field", "name"), crossed(["first_name", "last_name", "job_title"], TEXTS)
)
def test_a_name_that_would_break_a_line_is_refused(shared: Service, field: str, name: str) -> None:
    """B7: 422, and nothing on record."""
    before = len(shared.audit())
    (error,) = invalid(shared.post("/register/begin", {**JANE, field: TEXTS[name]}))
    assert error["pointer"] == f"/{field}"
    assert len(shared.audit()) == before


@pytest.mark.parametrize(
    "name", ["Zoë", "O'Brien", "María-José", "李", "نیلوفر", "علی\u200cرضا", "क्\u200dष", "J" * 100]
)
def test_a_name_that_is_not_english_is_a_name(shared: Service, name: str) -> None:
    """B7: the rules do not shut people out; joiners belong to Persian and Indic names."""
    answer = shared.post("/register/begin", {**JANE, "first_name": name})
    assert answer.json()["publicKey"]["user"]["displayName"] == f"{name} Doe"


COPIED = {
    "a Japanese variant": ("\u845b\U000e0100\u57ce", "\u845b\u57ce"),
    "an emoji": ("Jane \u2764\ufe0f", "Jane \u2764"),
    "a Mongolian variant": ("\u182d\u180b", "\u182d"),
    "a left-to-right mark": ("Jane\u200e", "Jane"),
    "a right-to-left mark": ("\u200fJane", "Jane"),
    "an Arabic letter mark": ("\u061cJane", "Jane"),
    "isolates": ("\u2068Jane\u2069", "Jane"),
    "an embedding": ("\u202aJane\u202c", "Jane"),
    "a mark before a space": ("\u200e Jane", "Jane"),
}


@pytest.mark.parametrize(("copied", "name"), COPIED.values(), ids=COPIED)
def test_a_name_that_was_copied_is_taken_without_invisible_company(
    shared: Service, copied: str, name: str
) -> None:
    """B7: nothing invisible is stored, and nobody is shut out."""
    answer = shared.post("/register/begin", {**JANE, "first_name": copied})
    assert answer.json()["publicKey"]["user"]["displayName"] == f"{name} Doe"


@pytest.mark.parametrize("name", ["\u200e", "\ufe0f\ufe0f", "\u2068 \u2069"])
def test_a_name_of_marks_alone_is_blank(shared: Service, name: str) -> None:
    (error,) = invalid(shared.post("/register/begin", {**JANE, "first_name": name}))
    assert error["code"] == "blank"


def test_names_outside_ascii_stay_readable_in_the_row_and_escaped_in_the_log(
    service: Service,
) -> None:
    """B7: the row has the letters, the log has their escapes."""
    service.post("/login/begin", {"email": "zoë@example.com"})
    (row,) = service.audit()
    (line,) = lines(service, 1)
    assert row["user_email"] == line["user_email"] == "zoë@example.com"
    assert json.dumps("zoë@example.com") in (service.folder / "app.log").read_text("ascii")
