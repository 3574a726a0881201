"""`python -m cli audit-export`: the audit trail for people and for other tools."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.audit_export.filters import EVENT_TYPES, canonical_email, moment
from cli.audit_export.formats import cell
from tests.cli.exporting import (
    TYPES,
    USER_AGENT,
    Export,
    check_filters,
    check_unknown_reason,
    exporter,
    record_events,
)
from tests.support.process import ROOT
from tests.support.service import Service

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An SQLite database with four events. Its service has stopped."""
    address = f"sqlite:///{tmp_path}/app.db"
    with Service(tmp_path, database_url=address) as service:
        record_events(service)
    return address


@pytest.fixture
def export(url: str, capsys: pytest.CaptureFixture[str]) -> Export:
    return exporter(url, capsys)


def test_events_are_filtered_and_come_oldest_first(export: Export) -> None:
    check_filters(export)


def test_the_file_is_the_one_that_the_service_opens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the URL of a database, %20 is a space."""
    address = f"sqlite:///{tmp_path}/my%20app.db"
    with Service(tmp_path, database_url=address) as service:
        record_events(service)
    assert (tmp_path / "my app.db").is_file()
    assert exporter(address, capsys)().types == TYPES


@pytest.mark.parametrize(
    ("typed", "email"),
    [
        ("Jane@Example.com", "jane@example.com"),
        ("jane@BÜCHER.example", "jane@xn--bcher-kva.example"),
        ("No Address", "no address"),
    ],
)
def test_an_email_is_looked_for_in_the_form_of_the_rows(typed: str, email: str) -> None:
    assert canonical_email(typed) == email


def test_a_reason_that_no_event_has_is_an_error_that_lists_the_known_ones(export: Export) -> None:
    check_unknown_reason(export)


def test_an_unknown_event_type_is_an_error_that_lists_the_known_ones(export: Export) -> None:
    done = export("--event-type", "login_completed")
    assert (done.status, done.stdout) == (2, "")
    assert all(known in done.stderr.splitlines()[-1] for known in EVENT_TYPES)


def test_no_match_is_said_on_standard_error(export: Export) -> None:
    """Otherwise an email with a typing error would look like an account without events."""
    done = export("--email", "jane@example.con")
    assert (done.status, done.stdout, done.stderr) == (0, "", "No event matches.\n")


def test_a_row_has_its_columns_and_a_time_with_a_zone(export: Export) -> None:
    (row,) = export("--limit", "1").rows
    assert row["user_email"] == "jane@example.com"
    assert datetime.fromisoformat(row["created_at"]).utcoffset() == timedelta(0)


def test_the_export_has_the_formats_of_the_sinks(export: Export) -> None:
    documents, events = export("--format", "ecs").rows, export("--format", "ocsf").rows
    assert [found["event"]["action"] for found in documents] == TYPES
    assert [found["class_uid"] for found in events] == [3002, 3002, 3004, 3002]
    assert documents[0]["event"]["id"] == events[0]["metadata"]["uid"]


def test_csv_is_a_table_without_formulas(export: Export) -> None:
    done = export("--format", "csv")
    assert (done.status, done.stderr) == (0, "")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["event_type"] for row in rows] == TYPES
    assert {row["user_agent"] for row in rows} == {f"'{USER_AGENT}"}
    assert rows[1]["reason"] == "bad_signature"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\\t=1"),
        ("\r\n=1", "'\\r\\n=1"),
        ("＝1", "'＝1"),
        ("a\nb", "a\\nb"),
        ("1-1", "1-1"),
        ("", ""),
        (None, ""),
        (0, "0"),
    ],
    ids=repr,
)
def test_no_cell_is_a_formula(value: object, text: str) -> None:
    assert cell(value) == text


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("7d", NOW - timedelta(days=7)),
        ("90m", NOW - timedelta(minutes=90)),
        ("2w", NOW - timedelta(weeks=2)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T08:00:00Z", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T08:00:00", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T08:00:00+02:00", datetime(2026, 1, 31, 6, tzinfo=UTC)),
    ],
)
def test_a_time_is_in_utc_or_an_age(text: str, time: datetime) -> None:
    assert moment(text, NOW) == time


@pytest.mark.parametrize(
    ("arguments", "url", "status", "sentence"),
    [
        (["--since", "yesterday"], "", 2, "'yesterday' is not a time"),
        (["--limit", "0"], "", 2, "'0' is not a number of events"),
        (["--newest", "-1"], "", 2, "'-1' is not a number of events"),
        (["--newest", "1", "--limit", "1"], "", 2, "not allowed with argument --newest"),
        (["--format", "xml"], "", 2, "invalid choice: 'xml'"),
        (["--ip", "localhost"], "", 2, "'localhost' is not an IP address"),
        ([], "mysql://x", 1, "DATABASE_URL must begin with sqlite:///"),
        ([], "sqlite:////nowhere/app.db", 1, "there is no database"),
        ([], "postgresql://x@127.0.0.1:9/y", 1, "cannot be read"),
    ],
)
def test_an_error_is_one_sentence(
    arguments: list[str],
    url: str,
    status: int,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = exporter(url, capsys)(*arguments)
    assert (done.status, done.stdout) == (status, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert status == 2 or len(done.stderr.splitlines()) == 1


def test_a_reader_that_ends_early_is_no_error(url: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m cli audit-export | head -n 1"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")
