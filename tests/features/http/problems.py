"""What every refusal looks like, whoever refuses."""

from __future__ import annotations

from typing import Any

import httpx

PROBLEM_JSON = "application/problem+json"
JSON = {"Content-Type": "application/json"}


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The body of a refusal, once its shape is the one that all have."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM_JSON
    body: dict[str, Any] = answer.json()
    assert body["type"] == "about:blank"
    assert body["status"] == status
    assert body["code"] == code
    assert body["request_id"] == answer.headers["x-request-id"]
    assert isinstance(body["detail"], str)
    assert isinstance(body["title"], str)
    return body


def invalid(answer: httpx.Response) -> list[dict[str, str]]:
    """The `errors` of a 422."""
    body = problem(answer, 422, "validation_failed")
    errors: list[dict[str, str]] = body["errors"]
    assert errors
    assert all(set(error) == {"pointer", "code", "message"} for error in errors)
    return errors


def refused_head(answer: httpx.Response, status: int) -> None:
    """The answer to a HEAD: everything but the body."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM_JSON
    assert answer.content == b""
