"""The request around the body: methods, headers, lengths, and clients that go away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from assurance.fuzz.draft import BODIES, Draft, Kind, registry
from assurance.fuzz.noise import MARKER, pick
from assurance.fuzz.wire import Request

MUTATORS, mutator = registry()

ALL = tuple(Kind)
METHODS = ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "DELETE", "CONNECT", "BREW", "post")
CONTENT_TYPES = (
    b"text/plain",
    b"application/json; charset=utf-16",
    b"application/json;charset=\xff",
    b"application/x-www-form-urlencoded",
    b"multipart/form-data; boundary=a",
    b"multipart/form-data",
    b"application/problem+json",
    b"application/json, text/html",
    b"APPLICATION/JSON",
    b"application/jsonp",
    b"",
    b"/",
    b";" * 500,
)
LENGTHS = (b"0", b"-1", b"1e3", b"+5", b"0x10", b"9" * 30, b"32769", b"\xb2", b"5, 5", b"", b"abc")
ODD_BYTES = (b"", b"\x80\xff", b"\x1b[31m", b"a\tb", b"A" * 600, b"A" * 20_000, b"%0d%0a", b"{}")
ODD_HEADERS: Sequence[tuple[bytes, bytes]] = (
    (b"host", b"evil.example"),
    (b"host", b"\xff"),
    (b"x-forwarded-for", b"1.2.3.4, evil, 5.6.7.8"),
    (b"x-forwarded-for", b",".join([b"1.1.1.1"] * 500)),
    (b"x-forwarded-proto", b"https"),
    (b"forwarded", b"for=\x80"),
    (b"origin", b"http://evil.example"),
    (b"origin", b"null"),
    (b"transfer-encoding", b"chunked"),
    (b"content-encoding", b"gzip"),
    (b"expect", b"100-continue"),
    (b"x-http-method-override", b"DELETE"),
    (b"cookie", b"a=b; " * 200),
    (b"accept", b"\xff/\xff"),
    (b"accept-encoding", b"gzip;q=\xff"),
    (b"range", b"bytes=0-,5-1,-1"),
    (b"if-none-match", b"\x80"),
    (b"authorization", b"Basic \xff\xfe"),
    (b"authorization", b"Bearer " + MARKER.encode()),
    (b"x-request-id", b"second"),
    (b"connection", b"upgrade"),
    (b"upgrade", b"websocket"),
)


def _alter(draft: Draft, change: Callable[[Request], Request]) -> None:
    draft.on_request.append(change)


def _without(request: Request, name: bytes) -> tuple[tuple[bytes, bytes], ...]:
    return tuple(header for header in request.headers if header[0] != name)


def _header(draft: Draft, name: bytes, value: bytes) -> None:
    """Put `value` in the place of whatever the header was."""
    _alter(draft, lambda it: replace(it, headers=(*_without(it, name), (name, value))))


@mutator("http: method", ALL)
def methods(rng: Random, draft: Draft) -> None:
    method = pick(rng, METHODS)
    _alter(draft, lambda it: replace(it, method=method))


@mutator("http: content type", BODIES)
def content_types(rng: Random, draft: Draft) -> None:
    if pick(rng, (True, True, False)):
        _header(draft, b"content-type", pick(rng, CONTENT_TYPES))
    else:
        _alter(draft, lambda it: replace(it, headers=_without(it, b"content-type")))


@mutator("http: content length", BODIES)
def content_lengths(rng: Random, draft: Draft) -> None:
    if pick(rng, (True, True, False)):
        _header(draft, b"content-length", pick(rng, LENGTHS))
    else:
        _alter(draft, lambda it: replace(it, headers=_without(it, b"content-length")))


@mutator("http: body in pieces, or not to its end", BODIES)
def pieces(rng: Random, draft: Draft) -> None:
    count, gone = pick(rng, (2, 7, 400)), pick(rng, (True, False))
    _alter(draft, lambda it: replace(it, pieces=count, hang_up=gone))


@mutator("http: body without a length, over the cap", BODIES)
def endless(_rng: Random, draft: Draft) -> None:
    filler = b" " * (1 << 20)
    _alter(
        draft,
        lambda it: replace(
            it, headers=_without(it, b"content-length"), body=it.body + filler, pieces=64
        ),
    )


@mutator("http: request id", ALL)
def request_ids(rng: Random, draft: Draft) -> None:
    _header(draft, b"x-request-id", pick(rng, (*ODD_BYTES, b"a b", b"../x", b"id\n"[:2] + b"\x00")))


@mutator("http: user agent", ALL)
def user_agents(rng: Random, draft: Draft) -> None:
    _header(draft, b"user-agent", pick(rng, (*ODD_BYTES, b"\xe2\x80\xa8", rng.randbytes(300))))


@mutator("http: one header more", ALL)
def more_headers(rng: Random, draft: Draft) -> None:
    extra = pick(rng, ODD_HEADERS)
    front = pick(rng, (True, False))
    _alter(
        draft,
        lambda it: replace(it, headers=(extra, *it.headers) if front else (*it.headers, extra)),
    )


CONTROL = "nothing at all"


@mutator(CONTROL, ALL)
def nothing(_rng: Random, _draft: Draft) -> None:
    """The control: genuine requests are accepted, or the rest would prove nothing."""
