"""The formats of forwarding: every event is classified, and every value stays in its field."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

import audit
from audit import Caller, Principal
from core.encoding import escape_unprintable
from services.audit_forwarding import syslog
from services.audit_forwarding.classification import CLASSIFICATIONS, UNKNOWN, classify
from services.audit_forwarding.json_formats import ecs, line, ocsf
from stores.outbox import EventRow
from tests.support.process import ROOT

JANE = Principal("11111111-1111-4111-8111-111111111111", "jane@example.com", "Jane Doe", "user")
BOB = Principal("22222222-2222-4222-8222-222222222222", "bob@example.com", "Bob Roe", "user")
AT = datetime(2026, 1, 15, 9, 30, 0, 123456, UTC)
CALLER = Caller("203.0.113.7", "Mozilla/5.0", "request-1", AT)
EVENTS = sorted(audit.Event.__subclasses__(), key=lambda event: event.__name__)

# Elastic Common Schema: both are "required in all events"; and the four categorization fields.
ECS_REQUIRED = ("@timestamp", "ecs.version")
ECS_KINDS = {"alert", "event"}
# Of the categories used here, the types that the schema expects.
ECS_TYPES = {
    "authentication": {"start", "end", "info"},
    "iam": {"admin", "change", "creation", "deletion", "group", "info", "user"},
    "api": {
        "access",
        "admin",
        "allowed",
        "change",
        "creation",
        "deletion",
        "denied",
        "end",
        "info",
        "start",
        "user",
    },
    "intrusion_detection": {"allowed", "denied", "info"},
}
# OCSF: the base event's required attributes, then those of each class; `a|b` is "at least one".
OCSF_REQUIRED = (
    "activity_id",
    "category_uid",
    "class_uid",
    "metadata.product.name|metadata.product.uid",
    "metadata.version",
    "severity_id",
    "time",
    "type_uid",
)
OCSF_CLASS_REQUIRED = {
    3001: ("user.name|user.uid",),
    3002: ("user.name|user.uid", "service.name|dst_endpoint.ip"),
    3004: ("entity.name|entity.uid",),
}
OCSF_ACTIVITIES = {3001: {1, 99}, 3002: {1, 6, 99}, 3004: {2}}


def row_of(event: audit.Event, caller: Caller = CALLER) -> EventRow:
    """The row that `audit.record` writes of it, as a sink gets it."""
    found = audit._row(caller, event)
    return EventRow(7, **{name: found[name] for name in EventRow._fields[1:]})


def example(
    kind: type[audit.Event], actor: Principal = JANE, subject: Principal | None = BOB
) -> EventRow:
    event = kind(actor, subject)
    return row_of(event)


def everywhere(value: str) -> EventRow:
    """A row with one value in all of its columns of text."""
    return EventRow(
        7, value, value, value, value, value, value, value, value, 0, value, value, value, AT
    )


def member(document: dict[str, Any], path: str) -> Any:
    found: Any = document
    for name in path.split("."):
        found = found.get(name, {}) if isinstance(found, dict) else {}
    return found


def has(document: dict[str, Any], alternatives: str) -> bool:
    found = [member(document, path) for path in alternatives.split("|")]
    return any(value not in ({}, None, "") for value in found)


def test_every_event_has_a_meaning_and_the_reverse() -> None:
    assert CLASSIFICATIONS.keys() == set(EVENTS)


def test_the_document_shows_the_table_as_it_is() -> None:
    document = (ROOT / "docs" / "audit-forwarding.md").read_text("utf-8")
    for kind, meaning in CLASSIFICATIONS.items():
        cells = (
            f"`{kind.__name__}`",
            meaning.syslog_severity,
            meaning.kind,
            ", ".join(meaning.category),
            ", ".join(meaning.type),
            f"{meaning.ocsf.uid} {meaning.ocsf.name}",
            "{} {}".format(*meaning.activity),
            "{} {}".format(*meaning.severity),
        )
        assert f"| {' | '.join(map(str, cells))} |" in document


@pytest.mark.parametrize("kind", EVENTS)
def test_a_row_is_given_the_classification_of_its_class(kind: type[audit.Event]) -> None:
    """By the row alone: its type, its outcome and, for a suspected clone, its reason."""
    assert classify(example(kind)) is CLASSIFICATIONS[kind]
    plain = row_of(kind(JANE, BOB))._replace(reason="anything")
    if kind is not audit.CloneSuspected:
        assert classify(plain) is CLASSIFICATIONS[kind]


def test_a_row_of_an_event_that_nobody_knows_is_sent_all_the_same() -> None:
    """A newer version runs beside this one, or a row was inserted by hand."""
    row = example(audit.LoginBegun)._replace(event_type="passkey_added")
    assert classify(row) is UNKNOWN
    assert ocsf(row)["class_uid"] == 0
    assert ecs(row)["event"]["action"] == "passkey_added"
    assert b" passkey_added [" in syslog.message(row, "host", 8192)


@pytest.mark.parametrize("actor", [JANE, audit.ANONYMOUS], ids=["someone", "nobody"])
@pytest.mark.parametrize("kind", EVENTS)
def test_an_ecs_document_has_what_the_schema_requires(
    kind: type[audit.Event], actor: Principal
) -> None:
    document = json.loads(line(ecs(example(kind, actor, None))))
    assert all(has(document, path) for path in ECS_REQUIRED)
    event = document["event"]
    assert event["kind"] in ECS_KINDS
    assert event["outcome"] == ("success" if kind.success else "failure")
    assert event["action"] == kind.event_type
    assert event["category"]
    expected = set().union(*(ECS_TYPES[category] for category in event["category"]))
    assert set(event["type"]) <= expected


@pytest.mark.parametrize("actor", [JANE, audit.ANONYMOUS], ids=["someone", "nobody"])
@pytest.mark.parametrize("kind", EVENTS)
def test_an_ocsf_event_has_what_its_class_requires(
    kind: type[audit.Event], actor: Principal
) -> None:
    document = json.loads(line(ocsf(example(kind, actor, None))))
    uid, activity = document["class_uid"], document["activity_id"]
    for path in (*OCSF_REQUIRED, *OCSF_CLASS_REQUIRED[uid]):
        assert has(document, path), path
    assert activity in OCSF_ACTIVITIES[uid]
    assert document["category_uid"] == uid // 1000
    assert document["type_uid"] == uid * 100 + activity
    assert document["status_id"] == (1 if kind.success else 2)
    assert document["time"] == int(AT.timestamp() * 1000)


def test_the_documents_say_who_did_what_to_whom_from_where() -> None:
    row = row_of(audit.ProfileRefused(JANE, BOB, reason="forbidden"))
    document, event = ecs(row), ocsf(row)
    assert document["@timestamp"] == "2026-01-15T09:30:00.123456Z"
    assert document["user"] == {
        "id": JANE.id,
        "email": JANE.email,
        "target": {"id": BOB.id, "email": BOB.email},
    }
    assert document["source"] == {"address": "203.0.113.7", "ip": "203.0.113.7"}
    assert document["user_agent"] == {"original": "Mozilla/5.0"}
    assert document["http"] == {"request": {"id": "request-1"}}
    assert document["event"]["reason"] == event["status_detail"] == "forbidden"
    assert document["event"]["id"] == event["metadata"]["uid"] == row.id
    assert event["actor"]["user"]["uid"] == JANE.id
    assert event["entity"] == {"type": "user", "uid": BOB.id, "name": BOB.email}
    assert event["src_endpoint"] == {"ip": "203.0.113.7"}


def test_what_is_no_address_is_not_called_one() -> None:
    """Elasticsearch would refuse the whole document."""
    row = example(audit.LoginBegun)._replace(ip_address="unix:/run/socket")
    assert ecs(row)["source"] == {"address": "unix:/run/socket"}
    assert "src_endpoint" not in ocsf(row)


# -- syslog --

# RFC 5424 §6: the header, one element of structured data, and a message in UTF-8.
SYSLOG = re.compile(
    rb"<(?P<priority>\d{1,3})>1 (?P<time>\S+) (?P<host>[!-~]{1,255}) (?P<app>[!-~]{1,48}) "
    rb"(?P<process>[!-~]{1,128}) (?P<id>[!-~]{1,32}) "
    rb'\[(?P<element>[^ =\]"]{1,32})(?P<data>( [^ =\]"]{1,32}="(\\["\\\]]|[^"\\\]])*")*)\]'
    rb" \xef\xbb\xbf(?P<text>.*)",
    re.DOTALL,
)
HOSTILE = {
    "a line feed": "x\n<0>1 - - - - - - forged",
    "carriage return and line feed": "x\r\nforged",
    "the end of structured data": 'x"] [forged@1 a="',
    "quotes": '"""',
    "backslashes": "x\\",
    "a backslash and a quote": 'x\\" ]',
    "a terminal's colours": "\x1b[31mred\x1b[0m",
    "line separator": "x\u2028y\u2029z\x85",
    "right to left": "x\u202egnp.exe",
    "a null": "x\x00y",
    "delete": "\x7f\x9b",
    "other scripts": "Jörg 山田 👩‍💻",
    "a frame of its own": "83 <14>1 - - - - - - forged",
}


def parsed(message: bytes) -> dict[str, str]:
    """A syslog message as a strict receiver reads it: its parameters, and `text`."""
    found = SYSLOG.fullmatch(message)
    assert found, message
    pairs = re.findall(rb' ([^ =]+)="((?:\\.|[^"\\])*)"', found["data"], re.DOTALL)
    data = {name.decode(): re.sub(rb'\\(["\\\]])', rb"\1", value).decode() for name, value in pairs}
    return {**data, "text": found["text"].decode(), "priority": found["priority"].decode()}


@pytest.mark.parametrize("kind", EVENTS)
def test_a_syslog_message_is_what_the_rfc_says(kind: type[audit.Event]) -> None:
    row = example(kind)
    found = parsed(syslog.message(row, "auth-1.example.com", 8192))
    assert found["text"] == row.details
    assert int(found["priority"]) == 80 + CLASSIFICATIONS[kind].syslog_severity
    assert (found["id"], found["type"]) == (row.id, kind.event_type)
    assert (found["userEmail"], found["subjectEmail"]) == (JANE.email, BOB.email)
    assert found["ip"] == "203.0.113.7"


@pytest.mark.parametrize("value", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_value_stays_in_its_place(value: str) -> None:
    """In every column, in every format: one message, one line, the other values as they were."""
    row = everywhere(value)._replace(id="row-1")
    for limit in (syslog.MAX_TLS_OCTETS, syslog.MAX_UDP_OCTETS):
        message = syslog.message(row, value, limit)
        assert not re.search(rb"[\x00-\x1f\x7f]", message)
        assert message.decode().isprintable() or "\ufeff" in message.decode()
        assert len(message.decode().splitlines()) == 1
        found = parsed(message)
        assert found["id"] == "row-1"
        assert (
            found["userAgent"] == found["userEmail"] == found["text"] == escape_unprintable(value)
        )
    for shape in (ecs, ocsf):
        text = line(shape(row))
        assert text.isascii()
        assert text.count("\n") == 1
        assert len(text.splitlines()) == 1
        assert json.loads(text)["message"] == value


@pytest.mark.parametrize("limit", [syslog.MAX_UDP_OCTETS, syslog.MAX_TLS_OCTETS])
@pytest.mark.parametrize("char", ["x", "é", "山", "👩", '"', "\\", "\x1b", "\u2028"], ids=repr)
@pytest.mark.parametrize("length", [100, 512, 3000, 20_000])
def test_a_message_is_cut_to_what_a_receiver_takes(limit: int, char: str, length: int) -> None:
    """First the text is cut, then the values. A cut message has the parameter `truncated`."""
    long = char * length
    row = example(audit.LoginRefused)._replace(user_agent=long, details=long, user_email=long)
    message = syslog.message(row, "h" * 300, limit)
    assert len(message) <= limit
    found = parsed(message)
    assert found["id"] == row.id
    assert escape_unprintable(long).startswith(found["userAgent"])
    assert escape_unprintable(long).startswith(found["text"])
    whole = found["text"] == found["userAgent"] == escape_unprintable(long)
    assert whole is ("truncated" not in found)


def test_all_values_at_their_worst_still_fit_a_datagram() -> None:
    row = everywhere("]" * 9000)._replace(id=JANE.id or "")
    message = syslog.message(row, "h" * 300, syslog.MAX_UDP_OCTETS)
    assert len(message) <= syslog.MAX_UDP_OCTETS
    assert parsed(message)["id"] == row.id


def test_a_frame_counts_octets_and_not_characters() -> None:
    assert syslog.octet_counted("é".encode()) == b"2 \xc3\xa9"
