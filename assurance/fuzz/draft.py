"""A genuine request in the making: mutators put their changes in where they belong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from random import Random
from typing import Any, Final

from assurance.fuzz.noise import MARKER
from assurance.fuzz.wire import Request
from devtools.authenticator import SoftAuthenticator
from devtools.cose import PublicKey
from devtools.flaws import NO_FLAW, Flaw


class Kind(Enum):
    """What a seed is a genuine request of."""

    REGISTER = "register/complete"
    LOGIN = "login/complete"
    USERNAMELESS = "login/complete without an email"
    REGISTER_BEGIN = "register/begin"
    LOGIN_BEGIN = "login/begin"
    PROFILE = "users/{id}"
    VECTOR_REGISTER = "register/complete, public vector"
    VECTOR_LOGIN = "login/complete, public vector"


CEREMONIES: Final = (Kind.REGISTER, Kind.LOGIN, Kind.USERNAMELESS)
LOGINS: Final = (Kind.LOGIN, Kind.USERNAMELESS, Kind.VECTOR_LOGIN)
REGISTRATIONS: Final = (Kind.REGISTER, Kind.VECTOR_REGISTER)
CREDENTIALS: Final = (*LOGINS, *REGISTRATIONS)
BODIES: Final = (*CREDENTIALS, Kind.REGISTER_BEGIN, Kind.LOGIN_BEGIN)


@dataclass
class Genuine:
    """What the relying party knows: the oracle judges the mutant against it."""

    kind: Kind
    email: str | None = None
    challenge: str = ""
    live: bool = True  # the challenge waits for this ceremony and this email
    rp_id: str = "localhost"
    origins: tuple[str, ...] = ("http://localhost:8000",)
    credential_id: bytes = b""
    key: PublicKey | None = None
    backup_eligible: bool = False
    sign_count: int = 0
    user_handle: bytes | None = None
    form: Mapping[str, Any] = field(default_factory=dict)
    user_id: str = ""
    response: Mapping[str, Any] = field(default_factory=dict)  # of a public vector
    token: str = ""
    device: SoftAuthenticator | None = None


@dataclass
class Draft:
    """Genuine until a mutator has been at it. Changes apply from the inside to the outside."""

    genuine: Genuine
    request: Request
    make_body: Callable[[Flaw], Any] | None = None
    flaw: Flaw = NO_FLAW
    sent_before: bool = False  # the very same request has been answered once
    on_body: list[Callable[[Any], Any]] = field(default_factory=list)
    on_bytes: list[Callable[[bytes], bytes]] = field(default_factory=list)
    on_request: list[Callable[[Request], Request]] = field(default_factory=list)

    def build(self) -> Request:
        """The request as it is sent."""
        request = self.request
        if self.make_body is not None:
            body = self.make_body(self.flaw)
            for change in self.on_body:
                body = change(body)
            raw = body if isinstance(body, bytes) else _json(body)
            for edit in self.on_bytes:
                raw = edit(raw)
            length = (b"content-length", str(len(raw)).encode())
            request = replace(request, body=raw, headers=(*request.headers, length))
        for alter in self.on_request:
            request = alter(request)
        return request


def _json(body: Any) -> bytes:
    """As browsers write it: escapes only where there is no other way."""
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        # Lone surrogates.
        return json.dumps(body).encode()


def post(path: str, request_id: str) -> Request:
    """A request as the demo page sends it, but for its body."""
    return Request("POST", path, (*_headers(request_id), (b"content-type", b"application/json")))


def get(path: str, request_id: str, token: str) -> Request:
    """A request with a bearer token."""
    bearer = (b"authorization", f"Bearer {token}".encode())
    return Request("GET", path, (*_headers(request_id), bearer))


def _headers(request_id: str) -> tuple[tuple[bytes, bytes], ...]:
    agent = f"Mozilla/5.0 ({MARKER})".encode()
    name = request_id.encode()
    return ((b"host", b"localhost:8000"), (b"user-agent", agent), (b"x-request-id", name))


Change = Callable[[Random, Draft], None]


@dataclass(frozen=True)
class Mutator:
    """One way to break a request, and the kinds of request it can break."""

    name: str
    kinds: tuple[Kind, ...]
    change: Change


def registry() -> tuple[list[Mutator], Callable[..., Callable[[Change], Change]]]:
    """A list of mutators, and the decorator that puts one more into it."""
    found: list[Mutator] = []

    def mutator(name: str, kinds: tuple[Kind, ...]) -> Callable[[Change], Change]:
        def add(change: Change) -> Change:
            found.append(Mutator(name, kinds, change))
            return change

        return add

    return found, mutator
