"""One assertion, judged twice: by this service's own procedure, and by py_webauthn.

py_webauthn is called as the tests of the library call it. Nothing of `core/relying_party` that
judges a login is used for its opinion.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cbor2
from webauthn import verify_authentication_response

from core.relying_party import cose_key
from core.relying_party.authentication import verify_authentication
from core.relying_party.credential_record import CredentialRecord, VerifiedLogin
from core.relying_party.errors import BadCredential
from core.relying_party.response_json import read_authentication
from devtools import cose
from devtools.authenticator import Flaw, SoftAuthenticator
from devtools.encoding import b64url
from devtools.options import CHALLENGE, creation_options, request_options
from tests.vectors.ceremony import was_backup_eligible
from tests.vectors.peeling import lifted
from tests.vectors.source import Vector, octets

ORIGIN = "http://localhost:8000"


@dataclass(frozen=True)
class Case:
    """An assertion, and what the relying party knows of the ceremony and of the credential."""

    name: str
    credential: dict[str, Any]
    challenge: str
    rp_id: str
    origins: tuple[str, ...]
    public_key: bytes
    sign_count: int
    backup_eligible: bool = False
    user_handle: bytes | None = None


@dataclass(frozen=True)
class Opinion:
    """The new sign count and backup state, or the reason for the refusal."""

    verified: tuple[int, bool] | None
    reason: str | None = None

    @property
    def accepts(self) -> bool:
        return self.verified is not None


def our_opinion(case: Case, *, user_verification: bool) -> Opinion:
    """What `core/relying_party/authentication.py` says."""
    rules = frozenset[str]() if user_verification else frozenset(("user_not_verified",))
    try:
        with lifted(rules):
            verified = _verify(case)
    except cose_key.BadKey:
        # No account can have this key: a registration refuses it.
        return Opinion(None, "key_not_registered")
    except BadCredential as error:
        return Opinion(None, error.reason)
    return Opinion((verified.sign_count, verified.backed_up))


def _verify(case: Case) -> VerifiedLogin:
    key = cose_key.canonical(case.public_key)
    response = read_authentication(case.credential)
    handle = response.user_handle if case.user_handle is None else case.user_handle
    return verify_authentication(
        response,
        expected_challenge=case.challenge,
        expected_origins=case.origins,
        expected_rp_id_hash=hashlib.sha256(case.rp_id.encode()).digest(),
        credential_record=CredentialRecord(
            key, case.sign_count, case.backup_eligible, user_handle=handle or b""
        ),
        require_user_handle=case.user_handle is not None,
    )


def librarys_opinion(case: Case, *, user_verification: bool) -> Opinion:
    """What py_webauthn says. Any exception out of it is a refusal."""
    try:
        verified = verify_authentication_response(
            credential=case.credential,
            expected_challenge=octets(case.challenge),
            expected_rp_id=case.rp_id,
            expected_origin=list(case.origins),
            credential_public_key=case.public_key,
            credential_current_sign_count=case.sign_count,
            require_user_verification=user_verification,
        )
    except Exception as error:
        return Opinion(None, f"{type(error).__name__}: {error}")
    return Opinion((verified.new_sign_count, verified.credential_backed_up))


def recorded(vector: Vector) -> Case:
    """A recorded assertion. No recorded one says which user handle its account has."""
    return Case(
        name=vector.name,
        credential=vector.credential,
        challenge=vector.given["challenge_b64url"].rstrip("="),
        rp_id=vector.given["rp_id"],
        origins=vector.origins,
        public_key=octets(vector.given["credential_public_key_b64url"]),
        sign_count=vector.given["prior_sign_count"],
        backup_eligible=was_backup_eligible(vector),
    )


def signed(name: str, flaw: Flaw, alg: int, **known: Any) -> Case:
    """An assertion by a passkey made of software, which signs over the flaw."""
    device = SoftAuthenticator(origin=ORIGIN)
    device.create(creation_options(), alg=alg)
    passkey = device.passkeys[0]
    case = Case(
        name=f"{name} ({alg})",
        credential=device.get(request_options(), flaw=flaw),
        challenge=CHALLENGE,
        rp_id="localhost",
        origins=(ORIGIN,),
        public_key=cbor2.dumps(cose.cose_key(passkey.public_key)),
        sign_count=0,
        user_handle=passkey.user_handle,
    )
    return replace(case, **known)


def tampered(case: Case, *, stride: int) -> Iterator[Case]:
    """The case with one bit changed, in every `stride`-th byte of all that is signed or signs."""
    response = case.credential["response"]
    for member in ("authenticatorData", "signature", "clientDataJSON"):
        honest = octets(response[member])
        for place in range(0, len(honest), stride):
            changed = bytearray(honest)
            changed[place] ^= 1 << place % 8
            edited = {**response, member: b64url(bytes(changed))}
            name = f"{case.name}, {member} {place}"
            yield replace(case, name=name, credential={**case.credential, "response": edited})
