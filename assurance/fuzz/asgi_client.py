"""Sends raw requests into the ASGI application without a socket, and measures their CPU time.

A client library would repair what a mutator broke, so this module builds the ASGI messages itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

Headers = tuple[tuple[bytes, bytes], ...]
CRASHED = 599  # Not an HTTP status: the application raised an exception.


def first_header(headers: Headers, name: bytes) -> bytes | None:
    """The first value of a header, or None."""
    return next((value for key, value in headers if key.lower() == name), None)


@dataclass(frozen=True)
class RawRequest:
    """One HTTP request. With `hang_up` the client disconnects before the last piece of the body."""

    method: str
    target: str
    headers: Headers = ()
    body: bytes = b""
    pieces: int = 1
    hang_up: bool = False

    @property
    def path(self) -> str:
        """The path as the router sees it: decoded, without the query.

        Starlette's path patterns end in ``$``, which accepts one line feed after the path.
        """
        return unquote(self.target.partition("?")[0]).removesuffix("\n")

    def __str__(self) -> str:
        lines = [f"{name!r}: {value!r}" for name, value in self.headers]
        return "\n".join([f"{self.method} {self.target}", *lines, repr(self.body)])


@dataclass(frozen=True)
class RawResponse:
    """One HTTP response, and the CPU seconds that all threads used until it was complete."""

    status: int
    headers: Headers
    body: bytes = field(repr=False)
    cpu_seconds: float


async def send(app: ASGIApp, request: RawRequest) -> RawResponse:
    """The response to `request`; its status is CRASHED if the application raises."""
    messages = _messages(request)
    status, headers, body = CRASHED, (), bytearray()

    async def receive() -> Message:
        return next(messages, {"type": "http.disconnect"})

    async def take(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], tuple(message.get("headers", ()))
        body.extend(message.get("body", b""))

    started = time.process_time()
    try:
        await app(_scope(request), receive, take)
    except Exception as error:
        status, body = CRASHED, bytearray(repr(error).encode())
    return RawResponse(status, headers, bytes(body), time.process_time() - started)


def _scope(request: RawRequest) -> dict[str, Any]:
    raw_path, _, query = request.target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        # As uvicorn decodes it.
        "path": unquote(raw_path),
        "raw_path": raw_path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }


def _messages(request: RawRequest) -> Iterator[Message]:
    size = -(-len(request.body) // request.pieces) or 1
    pieces = [request.body[start : start + size] for start in range(0, len(request.body), size)]
    pieces = pieces or [b""]
    if request.hang_up:
        pieces.pop()
    for number, piece in enumerate(pieces, 1):
        more = request.hang_up or number < len(pieces)
        yield {"type": "http.request", "body": piece, "more_body": more}
