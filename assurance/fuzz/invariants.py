"""What must hold for every answer, whatever was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from assurance.fuzz.noise import MARKER
from assurance.fuzz.wire import CRASHED, Answer, Request

PROBLEM = {"type", "title", "status", "detail", "code", "request_id"}
FIELD_ERROR = {"pointer", "code", "message"}
ALWAYS = (
    b"x-request-id",
    b"x-content-type-options",
    b"x-frame-options",
    b"content-security-policy",
    b"cache-control",
    b"referrer-policy",
)
# Whoever sends an id gets it back, and Starlette names the file it did not find to nobody.
ECHOING = (b"x-request-id",)
STATIC = ("/", "/docs", "/openapi.json")


def violations(request: Request, answer: Answer) -> Iterator[str]:
    """Everything about `answer` that must never be, each in a few words."""
    if answer.status == CRASHED:
        yield f"an exception left the application: {answer.body.decode()}"
        return
    if answer.status >= 500:
        yield f"status {answer.status}"
    for name in ALWAYS:
        if answer.header(name) is None:
            yield f"no {name.decode()} header"
    if answer.status >= 400 and request.method != "HEAD":
        yield from _problem(answer)
    if answer.status >= 300:
        yield from _echoes(answer)
    if answer.status == 405 and answer.header(b"allow") is None:
        yield "405 without Allow"
    if answer.status == 307 and answer.header(b"location") not in (
        b"/register/begin",
        b"/login/begin",
    ):
        yield "a redirect elsewhere"


def _problem(answer: Answer) -> Iterator[str]:
    if answer.header(b"content-type") != b"application/problem+json":
        yield "an error that is not application/problem+json"
        return
    body: dict[str, Any] = json.loads(answer.body)
    members = PROBLEM | ({"errors"} if answer.status == 422 else set())
    if set(body) != members:
        yield f"an error with the members {sorted(body)}"
        return
    if body["status"] != answer.status or not all(
        isinstance(body[name], str) and body[name] for name in PROBLEM - {"status"}
    ):
        yield "an error whose members are not what they should be"
    if body["request_id"].encode() != answer.header(b"x-request-id"):
        yield "an error with another request id than its header"
    for error in body.get("errors", ()):
        if set(error) != FIELD_ERROR or not all(isinstance(text, str) for text in error.values()):
            yield "a field error of another shape"


def _echoes(answer: Answer) -> Iterator[str]:
    marker = MARKER.encode()
    if marker in answer.body:
        yield "an error that echoes what was sent"
    for name, value in answer.headers:
        if marker in value and name.lower() not in ECHOING:
            yield f"a {name.decode()} header that echoes what was sent"


def answer_class(answer: Answer) -> str:
    """The column of the report that an answer is counted in."""
    if answer.status == CRASHED:
        return "crash"
    return "5xx" if answer.status >= 500 else str(answer.status)


def code_of(answer: Answer) -> str:
    """The machine-readable code of a refusal; "" for anything else."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return ""
    return str(body.get("code", "")) if isinstance(body, dict) else ""
