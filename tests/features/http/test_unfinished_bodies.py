"""Bodies that arrive incompletely: how long the service waits, and that it uses no part of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.features.http.problems import problem
from tests.support.service import Service


async def never_ending() -> AsyncIterator[bytes]:
    yield b"{"
    await asyncio.Event().wait()


def test_a_body_has_ten_seconds_to_arrive(shared: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """B1: the timeout is the documented one. The test replaces it by a shorter one."""
    asked: list[float | None] = []
    timeout = asyncio.timeout

    def noted(delay: float | None) -> asyncio.Timeout:
        asked.append(delay)
        return timeout(0.05)

    monkeypatch.setattr(asyncio, "timeout", noted)
    headers = {"Content-Type": "application/json"}
    answer = shared.request("POST", "/login/begin", content=never_ending(), headers=headers)
    problem(answer, 408, "timeout")
    assert asked == [10]


def test_a_body_that_is_cut_off_is_no_request(shared: Service) -> None:
    """B1: even if the part that arrived is JSON, no ceremony begins and no row is written."""
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"{}", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/login/begin",
        "raw_path": b"/login/begin",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"99")],
        "client": ("127.0.0.1", 4711),
        "server": ("localhost", 8000),
    }
    before = len(shared.audit())
    shared.run(shared.app(scope, receive, send))
    assert [message["status"] for message in sent if "status" in message] == [400]
    assert len(shared.audit()) == before
