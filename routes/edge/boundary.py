"""The outermost layer: request ids, security headers, and the one shape of every failure.

Pure ASGI, and outside everything FastAPI puts around the routes, so that no answer misses it.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import PROBLEM_JSON, problem
from core.ids import random_id

logger = logging.getLogger("service.http")

MAX_LENGTH_DIGITS = 19
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
API_CSP = "default-src 'none'; frame-ancestors 'none'"
DOCS_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# The page never turns text into markup or script, and the browser holds it to that.
PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PERMISSIONS = (
    "publickey-credentials-create=(self), publickey-credentials-get=(self), "
    "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
)
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": PERMISSIONS,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# What a request came to: its scope, the head of the answer (None: there was none), the seconds.
Observe = Callable[[Scope, Message | None, float], None]


class TooLarge(Exception):
    """A body went past the cap while it was read."""


class Boundary:
    """Wraps the application; `https` if every origin is; `observe` is told of every request.

    No body may exceed `max_body` bytes.
    """

    def __init__(self, app: ASGIApp, *, https: bool, max_body: int, observe: Observe) -> None:
        self._app, self._max_body, self._observe = app, max_body, observe
        headers = dict(SECURITY_HEADERS)
        if https:
            # RFC 6797: two years, as the preload lists ask.
            headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
        self._headers = [_encoded(name, value) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = scope["headers"]
        request_id = _request_id(sent)
        own = scope.setdefault("state", {})
        own["request_id"], own["peer"] = request_id, _peer(scope, send)
        reply, begun = _Reply(self._headers, scope, receive, send, request_id), time.perf_counter()
        length = _declared_length(sent)
        if length is None:
            receive = _counted(receive, self._max_body)
        try:
            if length is not None and length > self._max_body:
                raise TooLarge
            await self._app(scope, receive, reply.send)
        except Exception as error:
            if reply.head is not None:
                _log_failure(error, request_id)
                if reply.replaced:
                    return
                # Half an answer is out: the server must break the connection.
                raise
            if isinstance(error, TooLarge):
                refusal = too_large(request_id)
            else:
                _log_failure(error, request_id)
                refusal = problem_response(internal_error(request_id))
            await refusal(scope, receive, reply.send)
        finally:
            self._observe(scope, reply.head, time.perf_counter() - begun)


class _Reply:
    """The way back to the caller: marks the head of what is sent, and reshapes what is not ours.

    No closure, which would hold itself: fifty objects of each request were left to the collector.
    """

    __slots__ = ("_headers", "_receive", "_request_id", "_scope", "_send", "head", "replaced")

    def __init__(
        self,
        headers: list[tuple[bytes, bytes]],
        scope: Scope,
        receive: Receive,
        send: Send,
        request_id: str,
    ) -> None:
        self._headers, self._scope, self._receive = headers, scope, receive
        self._send, self._request_id = send, request_id
        self.head: Message | None = None
        self.replaced = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.head = message
            if message["status"] >= 400 and _is_plain(message):
                answer = _reshaped(message, self._request_id)
                await answer(self._scope, self._receive, self.send)
                # What the other layer still sends is its own body.
                self.replaced = True
                return
            self._mark(self._scope["path"], message)
        if not self.replaced:
            await self._send(message)

    def _mark(self, path: str, message: Message) -> None:
        headers = message["headers"] = list(message.get("headers", ()))
        given = {name for name, _ in headers}
        headers.append((b"x-request-id", self._request_id.encode()))
        headers += self._headers
        if b"content-security-policy" not in given:
            headers.append((b"content-security-policy", _policy(path)))
        if b"cache-control" not in given:
            # Files are asked for again each time and rarely sent: they have an ETag.
            static = path.startswith("/static/") and message["status"] < 400
            headers.append((b"cache-control", b"no-cache" if static else b"no-store"))


def _encoded(name: str, value: str) -> tuple[bytes, bytes]:
    return name.lower().encode(), value.encode()


def _declared_length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """What `Content-Length` says, which the server holds the body to; 0 without any body."""
    length: int | None = 0
    for name, value in headers:
        if name == b"transfer-encoding":
            # It decides, whatever a length beside it says (RFC 9112 §6.3).
            return None
        if name == b"content-length":
            length = int(value[:MAX_LENGTH_DIGITS]) if value.isdigit() else None
    return length


def _counted(receive: Receive, limit: int) -> Receive:
    """`receive`, for a body that does not say how long it is. Raises TooLarge."""
    total = 0

    async def receive_some() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise TooLarge
        return message

    return receive_some


def _log_failure(error: Exception, request_id: str) -> None:
    logger.error("request failed", exc_info=error, extra={"fields": {"request_id": request_id}})


def problem_response(body: dict[str, Any], headers: dict[str, str] | None = None) -> JSONResponse:
    """The answer that carries an RFC 9457 body."""
    return JSONResponse(body, body["status"], headers, media_type=PROBLEM_JSON)


def internal_error(request_id: str) -> dict[str, Any]:
    """What is said of a fault of ours; the log has the rest under this id."""
    return problem(500, "internal_error", "Internal server error", request_id)


def too_large(request_id: str) -> JSONResponse:
    """A body over the cap; the connection goes with it, or its rest would be read as a request."""
    body = problem(413, "body_too_large", "The body is too large", request_id)
    return problem_response(body, {"Connection": "close"})


def _is_plain(message: Message) -> bool:
    """Whether a layer that is not ours refuses, in plain text."""
    content_type = MutableHeaders(raw=message["headers"]).get("content-type", "")
    return content_type.startswith("text/plain")


def _reshaped(message: Message, request_id: str) -> JSONResponse:
    """The same refusal in the one shape; its other headers are kept."""
    status = message["status"]
    kept = dict(MutableHeaders(raw=message["headers"]))
    kept = {name: kept[name] for name in kept if name not in ("content-type", "content-length")}
    detail = HTTPStatus(status).phrase
    return problem_response(problem(status, "refused", detail, request_id), kept)


def _policy(path: str) -> bytes:
    if path == "/docs":
        return DOCS_CSP.encode()
    page = path == "/" or path.startswith("/static/")
    return PAGE_CSP.encode() if page else API_CSP.encode()


def _request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The id the caller gave, if it is one that can stand in a log; a new one else."""
    for name, value in headers:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            return given if REQUEST_ID.fullmatch(given) else random_id()
    return random_id()


def _peer(scope: Scope, send: Callable[..., Any]) -> str:
    """The address at the other end of the connection.

    uvicorn believes `X-Forwarded-For` from 127.0.0.1 by default and overwrites the client with
    it: anyone on the machine could write any address into the audit trail. So the socket itself is
    asked, and TRUSTED_PROXIES alone says who is believed.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    peer = transport.get_extra_info("peername") if transport is not None else None
    client = peer if isinstance(peer, tuple) else scope.get("client")
    # A socket for both families shows IPv4 inside of IPv6 (RFC 4291 §2.5.5.2).
    return str(client[0]).removeprefix("::ffff:") if client else "unknown"
