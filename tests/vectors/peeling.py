"""Why else a vector is refused: the relying party again, with one demand after another dropped.

A refusal for one rule of this service hides whatever comes after it. So the rule is lifted, in
the test alone, and the next reason is heard, until the vector passes or no rule is to blame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from core.encoding import base64url_encode
from core.relying_party import (
    authentication,
    authenticator_data,
    client_data,
    py_webauthn,
    registration,
)
from core.relying_party.attestation.object import read_attestation
from core.relying_party.ceremonies import RelyingParty
from core.relying_party.client_data import ClientData
from core.relying_party.credential_record import CredentialRecord
from core.relying_party.errors import BadCredential
from core.relying_party.response_json import read_authentication, read_registration
from tests.support.clock import HeldClock
from tests.vectors.ceremony import settings_of, stored_key, was_backup_eligible
from tests.vectors.source import Vector

USER_VERIFIED = 0x04


@dataclass(frozen=True)
class Trial:
    """A vector, as it is tried: how its JSON is written, when, and what is not demanded."""

    vector: Vector
    credential: dict[str, Any]
    at: datetime
    lifted: frozenset[str] = frozenset()


def peel(vector: Vector) -> tuple[tuple[str, ...], bool]:
    """Every reason in turn, and whether the vector passes once these rules are lifted."""
    trial, reasons = Trial(vector, vector.credential, vector.moment), []
    while reason := _refusal(trial):
        known = reason in reasons
        reasons.append(reason)
        lift = LIFTS.get(reason)
        if known or lift is None or _is_the_point(vector, reason):
            return tuple(reasons), False
        trial = lift(trial)
    return tuple(reasons), True


def _is_the_point(vector: Vector, reason: str) -> bool:
    """The source's own relying party demands it, too."""
    return reason == "user_not_verified" and vector.given.get("require_uv") is True


def _refusal(trial: Trial) -> str | None:
    vector, challenge = trial.vector, trial.vector.given["challenge_b64url"]
    with TemporaryDirectory() as folder, lifted(trial.lifted):
        party = RelyingParty(settings_of(vector, Path(folder)), HeldClock(trial.at))
        try:
            if vector.is_registration:
                response = read_registration(trial.credential)
                party.verify_registration(response, expected_challenge=challenge)
            else:
                _log_in(party, trial, challenge)
        except BadCredential as error:
            return error.reason
    return None


def _log_in(party: RelyingParty, trial: Trial, challenge: str) -> None:
    response, key = read_authentication(trial.credential), stored_key(trial.vector)
    if key is None:
        raise BadCredential("unknown_credential")
    stored = CredentialRecord(
        public_key=key,
        sign_count=trial.vector.given["prior_sign_count"],
        backup_eligible=was_backup_eligible(trial.vector),
        user_handle=response.user_handle or b"",
    )
    party.verify_authentication(
        response, expected_challenge=challenge, credential_record=stored, require_user_handle=False
    )


@contextmanager
def lifted(rules: frozenset[str]) -> Iterator[None]:
    with ExitStack() as stack:
        if "user_not_verified" in rules:
            _accept_unverified_users(stack)
        if rules & {"cross_origin", "top_origin"}:
            _accept_frames(stack)
        yield


def _accept_unverified_users(stack: ExitStack) -> None:
    strict = authenticator_data._require_flags

    def lenient(flags: int) -> None:
        strict(flags | USER_VERIFIED)

    stack.enter_context(patch.object(authenticator_data, "_require_flags", lenient))
    name = "verify_registration_response"
    tolerant = _without_user_verification(getattr(py_webauthn, name))
    stack.enter_context(patch.object(py_webauthn, name, tolerant))


def _without_user_verification(verify: Callable[..., Any]) -> Callable[..., Any]:
    return lambda **given: verify(**{**given, "require_user_verification": False})


def _accept_frames(stack: ExitStack) -> None:
    strict = client_data.require_client_data

    def lenient(data: ClientData, **expected: Any) -> None:
        strict(data._replace(cross_origin=False, top_origin=None), **expected)

    for ceremony in (registration, authentication):
        stack.enter_context(patch.object(ceremony, "require_client_data", lenient))


def _lift(rule: str) -> Callable[[Trial], Trial]:
    return lambda trial: replace(trial, lifted=trial.lifted | {rule})


def _while_certificates_were_valid(trial: Trial) -> Trial:
    latest = max(each.not_valid_before_utc for each in trial.vector.chain)
    return replace(trial, at=latest + timedelta(hours=1))


def _under_the_attested_id(trial: Trial) -> Trial:
    attested = read_attestation(read_registration({**trial.credential, **_named(b"id")}))
    named = _named(attested.credential_id)
    return replace(trial, credential={**trial.credential, **named})


def _named(credential_id: bytes) -> dict[str, str]:
    text = base64url_encode(credential_id)
    return {"id": text, "rawId": text}


LIFTS: dict[str, Callable[[Trial], Trial]] = {
    "user_not_verified": _lift("user_not_verified"),
    "cross_origin": _lift("cross_origin"),
    "top_origin": _lift("top_origin"),
    "attestation_expired": _while_certificates_were_valid,
    "member_rawId": _under_the_attested_id,
    "length_rawId": _under_the_attested_id,
    "id_and_raw_id_differ": _under_the_attested_id,
}
