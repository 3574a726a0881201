"""The headers of every response, and the shape of the errors that Starlette writes itself."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from routes.problems import internal_error, problem

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
# RFC 6797: two years, as the preload lists ask.
HSTS = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}

RawHeaders = list[tuple[bytes, bytes]]


def security_headers(*, https: bool) -> RawHeaders:
    """The security headers of every response, as ASGI wants them."""
    headers = {**SECURITY_HEADERS, **(HSTS if https else {})}
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


class ResponseWriter:
    """Wraps `send`: adds headers, and turns plain-text errors of Starlette into problem+json.

    A class and not a closure: a closure that calls itself is a reference cycle, and fifty objects
    of each request were left to the garbage collector.
    start: the `http.response.start` that was sent, if any; replaced: whether a plain-text error
    was sent as a problem.
    """

    __slots__ = ("_headers", "_receive", "_request_id", "_scope", "_send", "replaced", "start")

    def __init__(
        self, headers: RawHeaders, scope: Scope, receive: Receive, send: Send, request_id: str
    ) -> None:
        self._headers, self._scope, self._receive = headers, scope, receive
        self._send, self._request_id = send, request_id
        self.start: Message | None = None
        self.replaced = False

    async def send(self, message: Message) -> None:
        """Send one message of the response."""
        if message["type"] == "http.response.start":
            self.start = message
            if message["status"] >= 400 and _is_plain_text(message):
                problem = _as_problem(message, self._request_id)
                await problem(self._scope, self._receive, self.send)
                # The body that the inner layer sends next is dropped.
                self.replaced = True
                return
            self._add_headers(self._scope["path"], message)
        if not self.replaced:
            await self._send(message)

    def _add_headers(self, path: str, message: Message) -> None:
        headers = message["headers"] = list(message.get("headers", ()))
        given = {name for name, _ in headers}
        headers.append((b"x-request-id", self._request_id.encode()))
        headers += self._headers
        if b"content-security-policy" not in given:
            headers.append((b"content-security-policy", _policy(path)))
        if b"cache-control" not in given:
            headers.append((b"cache-control", b"no-store"))


def _is_plain_text(message: Message) -> bool:
    """True for errors that Starlette writes itself; those of the service are JSON."""
    content_type = MutableHeaders(raw=message["headers"]).get("content-type", "")
    return content_type.startswith("text/plain")


def _as_problem(message: Message, request_id: str) -> JSONResponse:
    """The same error as a problem; its other headers are kept."""
    status = message["status"]
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return internal_error(request_id)
    headers = dict(MutableHeaders(raw=message["headers"]))
    kept = {name: headers[name] for name in headers.keys() - {"content-type", "content-length"}}
    return problem(status, "refused", HTTPStatus(status).phrase, request_id, kept)


def _policy(path: str) -> bytes:
    """The Content-Security-Policy of a path."""
    if path == "/docs":
        return DOCS_CSP.encode()
    page = path == "/" or path.startswith("/static/")
    return PAGE_CSP.encode() if page else API_CSP.encode()
