"""Compares the audit table and app.log with what the client sent and what was answered."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assurance.fuzz.asgi_client import RawRequest, RawResponse, first_header
from assurance.fuzz.verdict import error_code

# A thread writes the log, and may be late.
LOG_TIMEOUT_SECONDS = 10
Row = tuple[str, str, int | None]
"""Request id, event type, success (None if both values are right)."""

EVENTS: dict[tuple[str, int, str], tuple[str, int | None]] = {
    ("/register/begin", 200, ""): ("registration_begin", 1),
    ("/register/begin", 409, "registration_not_possible"): ("registration_begin", 0),
    ("/register/complete", 201, ""): ("registration_complete", 1),
    ("/register/complete", 400, "registration_failed"): ("registration_complete", 0),
    # The event tells whether the account exists; the response does not.
    ("/login/begin", 200, ""): ("login_begin", None),
    ("/login/complete", 200, ""): ("login_complete", 1),
    ("/login/complete", 401, "invalid_credentials"): ("login_complete", 0),
    ("/users/", 200, ""): ("user_access", 1),
    ("/users/", 403, "forbidden"): ("user_access", 0),
    ("/users/", 404, "user_not_found"): ("user_access", 0),
    ("/users/", 401, "not_authenticated"): ("token_rejected", 0),
    ("/users/", 401, "invalid_token"): ("token_rejected", 0),
}
"""The one audit row that each path, status and error code must have."""


def log_violations(file: Path, rows: int) -> Iterator[str]:
    """Waits for the log, then yields each line too many or too few, and each error in it."""
    deadline = time.monotonic() + LOG_TIMEOUT_SECONDS
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


class ExpectedRows:
    """The audit rows that the requests so far must have caused."""

    def __init__(self) -> None:
        self._expected: Counter[Row] = Counter()
        self.count = 0

    def add(self, request: RawRequest, answer: RawResponse) -> None:
        """Expect the row of one request, if its response has one."""
        path = "/users/" if request.path.startswith("/users/") else request.path
        code = error_code(answer) if answer.status >= 400 else ""
        found = EVENTS.get((path, answer.status, code))
        if found is not None and request.method in ("GET", "POST"):
            request_id = (first_header(answer.headers, b"x-request-id") or b"").decode()
            self._expected[request_id, *found] += 1

    def reconcile(self, rows: list[dict[str, Any]]) -> Iterator[str]:
        """Yields each new row that was not expected, and each expected row that is missing."""
        self.count += len(rows)
        for row in rows:
            exact = (row["request_id"], row["event_type"], row["success"])
            either = (row["request_id"], row["event_type"], None)
            key = exact if self._expected[exact] else either
            if not self._expected[key]:
                yield f"audit row without a request: {json.dumps(row)}"
            if not str(row["user_agent"]).isprintable():
                yield f"audit row with control characters: {json.dumps(row)}"
            self._expected[key] -= 1
        for request_id, event, _ in +self._expected:
            yield f"no audit row: {event} of request {request_id}"
        self._expected.clear()
