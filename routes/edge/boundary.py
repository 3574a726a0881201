"""The outermost layer: request ids, a cap on bodies, security headers, and the last error handler.

Pure ASGI, outside of everything that FastAPI builds, so that no response misses it.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Sequence

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import ConfigurationError
from core.ids import request_id as new_request_id
from routes.edge.peer_address import PeerAddresses
from routes.edge.responses import ResponseWriter, security_headers
from routes.problems import internal_error, problem_of

logger = logging.getLogger("service.http")

MAX_BODY_BYTES = 32 * 1024
MAX_LENGTH_DIGITS = 19
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Called after each request with its scope, the `http.response.start` (None if none was sent), and
# its duration in seconds.
Observe = Callable[[Scope, Message | None, float], None]


class TooLarge(HTTPException):
    """A body over the cap, as declared or as it was read. FastAPI and StrictRoute answer it, too.

    The connection closes: otherwise the rest of the body would be read as the next request.
    """

    def __init__(self) -> None:
        super().__init__(413, "The body is too large", {"Connection": "close"})


class EdgeMiddleware:
    """Wraps the application.

    https: whether every origin of the service is https; observers: called after every request;
    max_body: the largest body in bytes.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        https: bool,
        observers: Sequence[Observe] = (),
        max_body: int = MAX_BODY_BYTES,
    ) -> None:
        self._app, self._max_body, self._observers = app, max_body, observers
        self._headers = security_headers(https=https)
        self._peers = PeerAddresses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._start(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _start(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._peers.check_server(send)
        except ConfigurationError as error:
            # Not raised: uvicorn would take the exception for "no lifespan" and serve.
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id, begun = _request_id(scope["headers"]), time.perf_counter()
        state = scope.setdefault("state", {})
        state["request_id"], state["peer"] = request_id, self._peers.peer_of(scope, send)
        writer = ResponseWriter(self._headers, scope, receive, send, request_id)
        try:
            await self._app(scope, self._capped(scope, receive), writer.send)
        except Exception as error:
            problem = _problem_of(error, request_id)
            if writer.start is None:
                await problem(scope, receive, writer.send)
            elif not writer.replaced:
                # Half a response is sent: the server must break the connection.
                raise
        finally:
            for observe in self._observers:
                observe(scope, writer.start, time.perf_counter() - begun)

    def _capped(self, scope: Scope, receive: Receive) -> Receive:
        """`receive` with the cap. Raises TooLarge at once, or when `receive` has read too much."""
        length = _declared_length(scope["headers"])
        if length is None:
            return _counted(receive, self._max_body)
        if length > self._max_body:
            raise TooLarge
        return receive


def _problem_of(error: Exception, request_id: str) -> JSONResponse:
    if isinstance(error, TooLarge):
        return problem_of(error, request_id)
    logger.error("request failed", exc_info=error, extra={"fields": {"request_id": request_id}})
    return internal_error(request_id)


def _declared_length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """`Content-Length`, which the server enforces; 0 without a body; None if unknown."""
    length: int | None = 0
    for name, value in headers:
        if name == b"transfer-encoding":
            # Transfer-Encoding overrides Content-Length (RFC 9112 §6.3).
            return None
        if name == b"content-length":
            length = int(value[:MAX_LENGTH_DIGITS]) if value.isdigit() else None
    return length


def _counted(receive: Receive, limit: int) -> Receive:
    """`receive`, for a body that does not declare its length. Raises TooLarge."""
    total = 0

    async def receive_some() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise TooLarge
        return message

    return receive_some


def _request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The client's `X-Request-ID`, if it is safe to stand in a log line; a new one otherwise."""
    for name, value in headers:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            return given if REQUEST_ID.fullmatch(given) else new_request_id()
    return new_request_id()
