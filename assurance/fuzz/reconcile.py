"""The audit trail against what the client did: one row for one attempt that was read, or none."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assurance.fuzz.invariants import code_of
from assurance.fuzz.wire import Answer, Request

# The log is written by a thread of its own, which may be behind.
LOG_SECONDS = 10
Row = tuple[str, str, int | None]
"""Request id, event type, success (None where both are right)."""

EXPECTED: dict[tuple[str, int, str], tuple[str, int | None]] = {
    ("/register/begin", 200, ""): ("registration_begin", 1),
    ("/register/begin", 409, "registration_not_possible"): ("registration_begin", 0),
    ("/register/complete", 201, ""): ("registration_complete", 1),
    ("/register/complete", 400, "registration_failed"): ("registration_complete", 0),
    # Success tells a known email from an unknown one, and the answer does not.
    ("/login/begin", 200, ""): ("login_begin", None),
    ("/login/complete", 200, ""): ("login_complete", 1),
    ("/login/complete", 401, "invalid_credentials"): ("login_complete", 0),
    ("/users/", 200, ""): ("user_access", 1),
    ("/users/", 403, "forbidden"): ("user_access", 0),
    ("/users/", 404, "user_not_found"): ("user_access", 0),
    ("/users/", 401, "not_authenticated"): ("token_rejected", 0),
    ("/users/", 401, "invalid_token"): ("token_rejected", 0),
}


def log_violations(file: Path, rows: int) -> Iterator[str]:
    """What `app.log` has too much or lacks, once it is written: a line of JSON for each row."""
    deadline = time.monotonic() + LOG_SECONDS
    lines: list[str] = []
    while time.monotonic() < deadline and len(lines) < rows:
        lines = file.read_text("ascii").splitlines()
        time.sleep(0.05)
    events = [json.loads(line) for line in lines]
    audited = sum(event["logger"] == "audit" for event in events)
    if audited != rows:
        yield f"{audited} lines of app.log for {rows} audit rows"
    for event in events:
        if event["level"] in ("ERROR", "CRITICAL"):
            yield f"an error in app.log: {json.dumps(event)}"


class Ledger:
    """What the audit table should say; `settle` compares, and forgets what agrees."""

    def __init__(self) -> None:
        self._expected: Counter[Row] = Counter()
        self.rows = 0

    def enter(self, request: Request, answer: Answer) -> None:
        """Take down one request that was answered."""
        path = "/users/" if request.path.startswith("/users/") else request.path
        refused = code_of(answer) if answer.status >= 400 else ""
        found = EXPECTED.get((path, answer.status, refused))
        if found is not None and request.method in ("GET", "POST"):
            request_id = (answer.header(b"x-request-id") or b"").decode()
            self._expected[request_id, *found] += 1

    def settle(self, rows: list[dict[str, Any]]) -> Iterator[str]:
        """What the new `rows` of the table have too much, and what they lack."""
        self.rows += len(rows)
        for row in rows:
            found = (row["request_id"], row["event_type"], row["success"])
            either = (row["request_id"], row["event_type"], None)
            key = found if self._expected[found] else either
            if not self._expected[key]:
                yield f"audit row nobody caused: {json.dumps(row)}"
            if not str(row["user_agent"]).isprintable():
                yield f"audit row with control characters: {json.dumps(row)}"
            self._expected[key] -= 1
        for request_id, event, _ in +self._expected:
            yield f"no audit row: {event} of request {request_id}"
        self._expected.clear()
