"""The outermost layer: request ids, security headers, and the one shape of every failure.

Pure ASGI, and outside everything FastAPI puts around the routes, so that no answer misses it.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import PROBLEM_JSON, problem

logger = logging.getLogger("service.http")

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


class Boundary:
    """Wraps the application; `https` if every origin is."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._headers = dict(SECURITY_HEADERS)
        if https:
            # RFC 6797: two years, as the preload lists ask.
            self._headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope["headers"])
        scope["state"] = {
            **scope.get("state", {}),
            "request_id": request_id,
            "peer": _peer(scope, send),
        }
        started = replaced = False

        async def send_marked(message: Message) -> None:
            nonlocal started, replaced
            if message["type"] == "http.response.start":
                started = True
                if _is_plain_failure(message):
                    await _reshape(message, request_id)(scope, receive, send_marked)
                    # What the other layer still sends is its own body.
                    replaced = True
                    return
                self._mark(scope["path"], request_id, message)
            if not replaced:
                await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except Exception as error:
            logger.error(
                "request failed", exc_info=error, extra={"fields": {"request_id": request_id}}
            )
            if started and not replaced:
                # Half an answer is out: the server must break the connection.
                raise
            if replaced:
                return
            await problem_response(internal_error(request_id))(scope, receive, send_marked)

    def _mark(self, path: str, request_id: str, message: Message) -> None:
        headers = MutableHeaders(raw=message.setdefault("headers", []))
        headers["X-Request-ID"] = request_id
        for name, value in self._headers.items():
            headers[name] = value
        headers.setdefault("Content-Security-Policy", _policy(path))
        # Files are asked for again each time and rarely sent: they have an ETag.
        static = path.startswith("/static/") and message["status"] < 400
        headers.setdefault("Cache-Control", "no-cache" if static else "no-store")


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


def _is_plain_failure(message: Message) -> bool:
    """Whether a middleware that is not ours refuses, in plain text."""
    content_type = MutableHeaders(raw=message["headers"]).get("content-type", "")
    return message["status"] >= 400 and content_type.startswith("text/plain")


def _reshape(message: Message, request_id: str) -> JSONResponse:
    """The same refusal in the one shape; its other headers are kept."""
    status = message["status"]
    if status == 413:
        return too_large(request_id)
    if status == 500:
        return problem_response(internal_error(request_id))
    kept = dict(MutableHeaders(raw=message["headers"]))
    kept = {name: kept[name] for name in kept if name not in ("content-type", "content-length")}
    detail = HTTPStatus(status).phrase
    return problem_response(problem(status, "refused", detail, request_id), kept)


def _policy(path: str) -> str:
    if path == "/docs":
        return DOCS_CSP
    return PAGE_CSP if path == "/" or path.startswith("/static/") else API_CSP


def _request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The id the caller gave, if it is one that can stand in a log; a new one else."""
    for name, value in headers:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            return given if REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
    return str(uuid.uuid4())


def _peer(scope: Scope, send: Callable[..., Any]) -> str:
    """The address at the other end of the connection.

    uvicorn believes `X-Forwarded-For` from 127.0.0.1 by default and overwrites the client with
    it: anyone on the machine could write any address into the audit trail. So the socket itself is
    asked, and TRUSTED_PROXIES alone says who is believed.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    peer = transport.get_extra_info("peername") if transport is not None else None
    if isinstance(peer, tuple):
        return str(peer[0])
    client = scope.get("client")
    return str(client[0]) if client else "unknown"
