"""A genuine request under construction, and mutators, each of which changes one layer of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from random import Random
from typing import Any, Final

from assurance.fuzz.asgi_client import RawRequest
from assurance.fuzz.byte_mutations import MARKER
from devtools.authenticator import SoftAuthenticator
from devtools.cose import PublicKey
from devtools.flaws import NO_FLAW, Flaw


class Kind(Enum):
    """Which endpoint a genuine request is for, and who made it."""

    REGISTER = "register/complete"
    LOGIN = "login/complete"
    USERNAMELESS = "login/complete without an email"
    REGISTER_BEGIN = "register/begin"
    LOGIN_BEGIN = "login/begin"
    PROFILE = "users/{id}"
    VECTOR_REGISTER = "register/complete, public vector"
    VECTOR_LOGIN = "login/complete, public vector"


Kinds = tuple[Kind, ...]
EVERY: Final[Kinds] = tuple(Kind)
# The software authenticator can sign these again after a change; it cannot sign public vectors.
SIGNED_LOGINS: Final[Kinds] = (Kind.LOGIN, Kind.USERNAMELESS)
SIGNED_REGISTRATIONS: Final[Kinds] = (Kind.REGISTER,)
SIGNED: Final[Kinds] = (*SIGNED_REGISTRATIONS, *SIGNED_LOGINS)
RECORDED: Final[Kinds] = (Kind.VECTOR_REGISTER, Kind.VECTOR_LOGIN)
LOGINS: Final[Kinds] = (*SIGNED_LOGINS, Kind.VECTOR_LOGIN)
REGISTRATIONS: Final[Kinds] = (*SIGNED_REGISTRATIONS, Kind.VECTOR_REGISTER)
CREDENTIALS: Final[Kinds] = (*LOGINS, *REGISTRATIONS)
BODIES: Final[Kinds] = (*CREDENTIALS, Kind.REGISTER_BEGIN, Kind.LOGIN_BEGIN)


@dataclass
class Expectation:
    """What the relying party knows before the request; the oracle compares the mutant with it."""

    kind: Kind
    email: str | None = None
    challenge: str = ""
    live: bool = True  # the challenge is unused and belongs to this ceremony and email
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
    attestation: str = "none"  # what the relying party asks for
    token: str = ""
    device: SoftAuthenticator | None = None


def _unchanged(value: Any) -> Any:
    return value


@dataclass
class Draft:
    """A genuine request, until a mutator sets a flaw or an edit. Edits apply from inside out."""

    expected: Expectation
    request: RawRequest
    make_body: Callable[[Flaw], Any] | None = None
    flaw: Flaw = NO_FLAW
    sent_before: bool = False  # the same request is sent and answered once before
    edit_body: Callable[[Any], Any] = _unchanged
    edit_bytes: Callable[[bytes], bytes] = _unchanged
    edit_request: Callable[[RawRequest], RawRequest] = _unchanged

    def build(self) -> RawRequest:
        """The request to send."""
        request = self.request
        if self.make_body is not None:
            raw = self.edit_bytes(_json(self.edit_body(self.make_body(self.flaw))))
            length = (b"content-length", str(len(raw)).encode())
            request = replace(request, body=raw, headers=(*request.headers, length))
        return self.edit_request(request)


def _json(body: Any) -> bytes:
    """JSON as browsers write it: escapes only for lone surrogates, which UTF-8 cannot encode."""
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(body).encode()


def post(path: str, request_id: str) -> RawRequest:
    """A request as the demo page sends it, without its body."""
    return _request("POST", path, request_id, (b"content-type", b"application/json"))


def get(path: str, request_id: str, token: str) -> RawRequest:
    """A request with a bearer token."""
    return _request("GET", path, request_id, (b"authorization", f"Bearer {token}".encode()))


def _request(method: str, path: str, request_id: str, header: tuple[bytes, bytes]) -> RawRequest:
    agent = f"Mozilla/5.0 ({MARKER})".encode()
    common = ((b"host", b"localhost:8000"), (b"user-agent", agent))
    return RawRequest(method, path, (*common, (b"x-request-id", request_id.encode()), header))


@dataclass(frozen=True)
class Mutator:
    """One way to break a request: its name in the report, and the kinds of request it fits."""

    name: str
    kinds: Kinds
    change: Callable[[Random, Draft], None]


def flawed(name: str, kinds: Kinds, make: Callable[[Random, Expectation], Flaw]) -> Mutator:
    """A mutator that changes the credential before the software authenticator signs it."""

    def change(rng: Random, draft: Draft) -> None:
        draft.flaw = make(rng, draft.expected)

    return Mutator(name, kinds, change)


def _layer(layer: str) -> Callable[[str, Kinds, Callable[[Random, Any], Any]], Mutator]:
    def mutator(name: str, kinds: Kinds, edit: Callable[[Random, Any], Any]) -> Mutator:
        return Mutator(name, kinds, lambda rng, draft: setattr(draft, layer, partial(edit, rng)))

    return mutator


body_edit = _layer("edit_body")
"""A mutator that changes the body as a JSON value."""
text_edit = _layer("edit_bytes")
"""A mutator that changes the body as bytes."""
request_edit = _layer("edit_request")
"""A mutator that changes method, target, headers or transfer of the request."""
