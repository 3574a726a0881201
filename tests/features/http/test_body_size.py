"""Bodies that are too large or too slow: refused before anybody parses them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.types import Message

import routes.request_body
from core import strict_json
from routes.edge.boundary import MAX_BODY_BYTES
from tests.features.http.problems import JSON, problem
from tests.support.service import Service

PATHS = ("/register/begin", "/register/complete", "/login/begin", "/login/complete")
EMPTY_LOGIN = b"{}"


def padded(size: int) -> bytes:
    """A valid body of `/login/begin`, of exactly `size` bytes."""
    return EMPTY_LOGIN.rjust(size)


async def in_chunks(body: bytes, size: int = 4096) -> AsyncIterator[bytes]:
    """The body as a stream: no length is declared."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def never_ending() -> AsyncIterator[bytes]:
    """A body whose second half does not come."""
    yield b'{"email"'
    await asyncio.Event().wait()


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What the JSON reader was given."""
    seen: list[bytes] = []

    def note(raw: bytes) -> dict[str, str]:
        seen.append(raw)
        return {}

    monkeypatch.setattr(strict_json, "loads", note)
    return seen


@pytest.mark.parametrize("path", PATHS)
def test_a_body_over_the_cap_is_refused_unparsed(
    shared: Service, path: str, parsed: list[bytes]
) -> None:
    """B1: 413 before parsing, and the connection goes with it."""
    answer = shared.request("POST", path, content=padded(MAX_BODY_BYTES + 1), headers=JSON)
    problem(answer, 413, "body_too_large")
    assert answer.headers["connection"] == "close"
    assert parsed == []


@pytest.mark.parametrize("path", PATHS)
def test_a_chunked_body_over_the_cap_is_refused_unparsed(
    shared: Service, path: str, parsed: list[bytes]
) -> None:
    """B1: without a declared length, the bytes are counted as they come."""
    body = in_chunks(padded(MAX_BODY_BYTES + 1))
    answer = shared.request("POST", path, content=body, headers=JSON)
    problem(answer, 413, "body_too_large")
    assert answer.headers["connection"] == "close"
    assert parsed == []


@pytest.mark.parametrize("path", ["/users", "/login", "/nowhere", "/docs"])
def test_a_body_over_the_cap_is_refused_wherever_it_goes(shared: Service, path: str) -> None:
    """B1: the redirects and the pages take no large bodies either."""
    answer = shared.request("POST", path, content=padded(MAX_BODY_BYTES + 1), headers=JSON)
    problem(answer, 413, "body_too_large")


@pytest.mark.parametrize("length", ["32769", "999999999999", "9" * 19])
def test_a_declared_length_is_enough_to_be_refused(shared: Service, length: str) -> None:
    """B1: who announces too much is refused without a byte of it being read."""

    read: list[bytes] = []

    async def announced() -> AsyncIterator[bytes]:
        read.append(EMPTY_LOGIN)
        yield EMPTY_LOGIN

    headers = {**JSON, "Content-Length": length}
    answer = shared.request("POST", "/login/begin", content=announced(), headers=headers)
    problem(answer, 413, "body_too_large")
    assert read == []


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "chunked"])
def test_a_body_of_exactly_the_cap_is_read(shared: Service, chunked: bool) -> None:
    """B1: the cap itself is allowed."""
    body = padded(MAX_BODY_BYTES)
    content = in_chunks(body) if chunked else body
    answer = shared.request("POST", "/login/begin", content=content, headers=JSON)
    assert answer.status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_a_body_that_does_not_arrive_is_refused(
    shared: Service, path: str, monkeypatch: pytest.MonkeyPatch, parsed: list[bytes]
) -> None:
    """B1: 408 once the time for a body is over, with nothing parsed and nothing on record."""
    monkeypatch.setattr(routes.request_body, "BODY_TIMEOUT_SECONDS", 0.05)
    before = len(shared.audit())
    answer = shared.request("POST", path, content=never_ending(), headers=JSON)
    problem(answer, 408, "timeout")
    assert parsed == []
    assert len(shared.audit()) == before


def test_a_slow_body_holds_nobody_else_up(shared: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """B1: while fifty bodies do not arrive, another request is answered."""
    monkeypatch.setattr(routes.request_body, "BODY_TIMEOUT_SECONDS", 30)

    async def race(client: httpx.AsyncClient) -> float:
        slow = [
            asyncio.create_task(client.post("/login/begin", content=never_ending(), headers=JSON))
            for _ in range(50)
        ]
        begun = time.monotonic()
        await client.post("/login/begin", json={})
        seconds = time.monotonic() - begun
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return seconds

    assert shared.run(race(shared.client)) < 10


def test_a_length_beside_chunks_does_not_lift_the_cap(shared: Service) -> None:
    """B1: where both are sent, the chunks are what counts (RFC 9112 §6.3)."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b" " * 4096, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"5"),
        (b"transfer-encoding", b"chunked"),
    ]
    scope = {"type": "http", "method": "POST", "path": "/login/begin", "headers": headers}
    shared.run(shared.app({**scope, "query_string": b"", "root_path": ""}, receive, send))
    assert sent[0]["status"] == 413
