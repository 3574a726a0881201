"""How long the service waits for a body."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.http.problems import problem
from tests.support.service import Service


async def never_ending() -> AsyncIterator[bytes]:
    yield b"{"
    await asyncio.Event().wait()


def test_a_body_has_ten_seconds_to_arrive(shared: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """B1: the time that is asked for is the documented one; the test itself waits less."""
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
