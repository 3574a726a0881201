"""Schemathesis reads the OpenAPI document and tries what it promises, against a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from assurance.support.server_process import ROOT, serving
from devtools.authenticator import SoftAuthenticator
from tests.fuzz.schemathesis_hooks import REASONS
from tests.support.service import JANE

HERE = Path(__file__).resolve().parent
OPERATIONS = 7
ENOUGH_CASES = 400
SECONDS = 240


class Run(NamedTuple):
    """What Schemathesis has printed, its exit code, and its report."""

    code: int
    output: str
    report: dict[str, Any]


def run_schemathesis(folder: Path, url: str, *options: str) -> Run:
    """All of it, or what the options leave of it."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOOKS": str(HERE / "schemathesis_hooks.py"),
        "TOKEN": log_in(url),
    }
    report = folder / "report.json"
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
            *("--config-file", str(HERE / "schemathesis.toml"), "--no-color", "run"),
            *(f"{url}/openapi.json", "--report", "json", "--report-json-path", str(report)),
            *options,
        ],
        # It leaves what it has found in its working folder.
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    written = json.loads(report.read_text("utf-8")) if report.exists() else {}
    return Run(done.returncode, done.stdout + done.stderr, written)


def log_in(url: str) -> str:
    """The token of someone who has just registered."""
    device = SoftAuthenticator()
    with httpx.Client(base_url=url, timeout=30) as client:
        options = client.post("/register/begin", json=JANE).json()["publicKey"]
        body = {"email": JANE["email"], "credential": device.create(options)}
        assert client.post("/register/complete", json=body).status_code == 201
        options = client.post("/login/begin", json={"email": JANE["email"]}).json()["publicKey"]
        body = {"email": JANE["email"], "assertion": device.get(options)}
        token: str = client.post("/login/complete", json=body).json()["access_token"]
    return token


def test_the_service_does_what_its_document_promises(tmp_path: Path) -> None:
    """Every check and every phase; what is configured is argued in schemathesis.toml."""
    with serving(tmp_path, DANGER_RATE_LIMITS_OFF="true") as url:
        run = run_schemathesis(tmp_path, url)
    assert run.code == 0, run.output
    assert run.report["operations"]["tested"] == OPERATIONS
    phases = {name: phase["status"] for name, phase in run.report["phases"].items()}
    assert phases == dict.fromkeys(("examples", "coverage", "fuzzing", "stateful"), "success")
    assert run.report["test_cases"]["generated"] > ENOUGH_CASES
    rates = run.report["valid_rates"]["POST /register/begin"]["fuzzing"]
    assert rates["accepted"] > rates["rejected"], "most valid forms should be taken"


def test_schemathesis_would_notice_a_broken_promise(tmp_path: Path) -> None:
    """Here: valid emails that are refused because nobody has them."""
    danger = {"DANGER_RATE_LIMITS_OFF": "true", "DANGER_REVEAL_UNKNOWN_EMAIL": "true"}
    with serving(tmp_path, **danger) as url:
        only = ("--phases", "coverage,fuzzing", "--include-path", "/login/begin", "-n", "5")
        run = run_schemathesis(tmp_path, url, *only)
    assert run.code == 1
    assert "Schema-valid request rejected" in run.output


@pytest.mark.parametrize(
    ("code", "wrong", "right"),
    [
        ("date", "1066-10-14", "1990-01-15"),
        ("date", "9999-12-31", "2001-02-28"),
        ("characters", "a\u200bb", "a b"),
        ("characters", "a\u2028b", "\u00e9"),
        ("too_long", "\u0958" * 60, "\u00e9" * 100),
        ("email", "jane@nowhere.test", "jane@test.example.com"),
        ("email", '"jane doe"@example.com', "jane+doe@example.com"),
        ("email", "jane@[127.0.0.1]", "jane@example.co.uk"),
    ],
)
def test_a_refusal_needs_a_reason_that_is_true(code: str, wrong: str, right: str) -> None:
    assert REASONS[code](wrong)
    assert not REASONS[code](right)
