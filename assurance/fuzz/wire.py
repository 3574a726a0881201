"""HTTP without a socket: raw requests into the ASGI application, answers with what they cost.

Lower than any client library goes, so that nothing on the way mends what a mutator broke.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

Headers = tuple[tuple[bytes, bytes], ...]
CRASHED = 599  # not an HTTP status: the exception came out of the application


@dataclass(frozen=True)
class Request:
    """What goes over the wire. `hang_up`: the client is gone before the last piece."""

    method: str
    target: str
    headers: Headers = ()
    body: bytes = b""
    pieces: int = 1
    hang_up: bool = False

    @property
    def path(self) -> str:
        """The path as the server routes it: decoded, without the query.

        Starlette's patterns end in ``$``, which lets one line feed through.
        """
        return unquote(self.target.partition("?")[0]).removesuffix("\n")

    def header(self, name: bytes) -> bytes | None:
        """The first value of a header; None without it."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    def __str__(self) -> str:
        lines = [f"{self.method} {self.target}"]
        lines += [f"{name!r}: {value!r}" for name, value in self.headers]
        return "\n".join([*lines, repr(self.body)])


@dataclass(frozen=True)
class Answer:
    """What came back, and the CPU time of all threads until then."""

    status: int
    headers: Headers
    body: bytes = field(repr=False)
    cpu_seconds: float

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


async def send(app: ASGIApp, request: Request) -> Answer:
    """The answer to `request`; an exception out of the application is status `CRASHED`."""
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
    return Answer(status, headers, bytes(body), time.process_time() - started)


def _scope(request: Request) -> dict[str, Any]:
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


def _messages(request: Request) -> Iterator[Message]:
    size = -(-len(request.body) // request.pieces) or 1
    pieces = [request.body[start : start + size] for start in range(0, len(request.body), size)]
    pieces = pieces or [b""]
    if request.hang_up:
        pieces.pop()
    for number, piece in enumerate(pieces, 1):
        more = request.hang_up or number < len(pieces)
        yield {"type": "http.request", "body": piece, "more_body": more}
