"""`python -m devtools.audit export`: the trail as people and other tools read it."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import audit
from audit import Caller, LoginBegun, LoginRefused, Party, ProfileRead
from core.database import Transaction
from devtools.audit import cell, main, moment
from tests.support.process import ROOT
from tests.support.service import Service

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JANE, BOB = Party(None, "jane@example.com"), Party(None, "bob@example.com")
EVENTS = [
    (timedelta(days=30), LoginBegun(JANE)),
    (timedelta(days=3), LoginRefused(JANE, reason="bad_signature")),
    (timedelta(days=2), ProfileRead(BOB, JANE)),
    (timedelta(days=1), LoginBegun(BOB)),
]


class Done(NamedTuple):
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `export` on a database, in this process: to import it anew takes a second."""

    def command(url: str, *arguments: str) -> Done:
        monkeypatch.setenv("DATABASE_URL", url)
        capsys.readouterr()
        try:
            code = main(["export", *arguments])
        except SystemExit as wrong:
            code = int(str(wrong.code))
        return Done(code, *capsys.readouterr())

    return command


@pytest.fixture
def url(backend: dict[str, str], tmp_path: Path) -> str:
    """A database with four events, whose service has ended."""
    with Service(tmp_path, **backend) as service:  # type: ignore[arg-type]

        def unit(tx: Transaction) -> None:
            for age, event in EVENTS:
                at = datetime.now(UTC) - age
                audit.record(tx, Caller("::1", "=cmd|' /C calc'!A0", "r", at), event)

        service.run(service.parts.db.write(unit))
    return backend["database_url"]


def lines(done: Done) -> list[dict[str, Any]]:
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def types(done: Done) -> list[str]:
    return [row["event_type"] for row in lines(done)]


def test_everything_is_exported_in_order_and_filtered(url: str, run: Run) -> None:
    every = ["login_begin", "login_complete", "user_access", "login_begin"]
    assert types(run(url)) == every
    assert types(run(url, "--since", "7d")) == every[1:]
    assert types(run(url, "--since", "7d", "--until", "36h")) == every[1:3]
    assert types(run(url, "--event-type", "login_begin", "--event-type", "user_access")) == [
        "login_begin",
        "user_access",
        "login_begin",
    ]
    assert types(run(url, "--email", "JANE@example.com")) == every[:3]
    assert types(run(url, "--limit", "2")) == every[:2]
    first = lines(run(url, "--limit", "1"))[0]
    assert first["user_email"] == "jane@example.com"
    assert datetime.fromisoformat(first["created_at"]).utcoffset() == timedelta(0)


def test_the_formats_of_sinks_are_those_of_the_export(url: str, run: Run) -> None:
    documents, events = lines(run(url, "--format", "ecs")), lines(run(url, "--format", "ocsf"))
    assert [found["event"]["action"] for found in documents] == types(run(url))
    assert [found["class_uid"] for found in events] == [3002, 3002, 3004, 3002]
    assert documents[0]["event"]["id"] == events[0]["metadata"]["uid"]


def test_csv_is_a_table_without_formulas(url: str, run: Run) -> None:
    done = run(url, "--format", "csv")
    assert (done.returncode, done.stderr) == (0, "")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["event_type"] for row in rows] == types(run(url))
    assert {row["user_agent"] for row in rows} == {"'=cmd|' /C calc'!A0"}
    assert rows[1]["reason"] == "bad_signature"


@pytest.mark.parametrize(
    ("value", "shown"),
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
def test_a_cell_is_a_value_and_nothing_to_calculate(value: object, shown: str) -> None:
    assert cell(value) == shown


@pytest.mark.parametrize(
    ("text", "wanted"),
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
def test_times_are_utc_or_ages(text: str, wanted: datetime) -> None:
    assert moment(text, NOW) == wanted


@pytest.mark.parametrize(
    ("arguments", "url", "code", "said"),
    [
        (["--since", "yesterday"], "", 2, "'yesterday' is no time"),
        (["--limit", "0"], "", 2, "'0' is no number of events"),
        (["--format", "xml"], "", 2, "invalid choice: 'xml'"),
        ([], "mysql://x", 1, "DATABASE_URL must begin with sqlite:///"),
        ([], "sqlite:////nowhere/app.db", 1, "there is no database"),
        ([], "postgresql://x@127.0.0.1:9/y", 1, "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    arguments: list[str], url: str, code: int, said: str, run: Run
) -> None:
    done = run(url, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert code == 2 or len(done.stderr.splitlines()) == 1


def test_a_reader_that_has_seen_enough_is_no_error(url: str) -> None:
    command = f"{sys.executable} -m devtools.audit export | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")
