"""Sound statements with one bit changed: refused, and never an exception."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cbor2
import pytest

from core.relying_party.attestation.object import read_attestation
from core.relying_party.ceremonies import RelyingParty
from core.relying_party.errors import BadCredential
from core.relying_party.response_json import RegistrationResponse, read_registration
from tests.support.clock import HeldClock
from tests.vectors.ceremony import settings_of
from tests.vectors.source import Vector, vector

# One of each format that is verified, with a user who was verified.
SOUND = (
    "w3c-packed-es256-registration",
    "w3c-packed-rs256-registration",
    "w3c-tpm-es256-registration",
    "w3c-android-key-es256-registration",
    "SimpleWebAuthn-001",
    "SimpleWebAuthn-009",
    "SimpleWebAuthn-012",
    "go-webauthn-007",
)
# A prime, so that the bytes that are changed lie differently in each.
STRIDE = 13


def verdict(party: RelyingParty, given: Vector, response: RegistrationResponse) -> str | None:
    """The reason for which it is refused, if it is; any other exception is the test's failure."""
    challenge = given.given["challenge_b64url"]
    try:
        party.verify_registration(response, expected_challenge=challenge)
    except BadCredential as error:
        return error.reason
    return None


def party_of(given: Vector, folder: Path) -> RelyingParty:
    return RelyingParty(settings_of(given, folder), HeldClock(given.moment))


def changed(encoded: bytes) -> Iterator[tuple[int, bytes]]:
    """Every so often one bit is flipped: where, and what comes of it."""
    for place in range(0, len(encoded), STRIDE):
        yield (
            place,
            encoded[:place] + bytes((encoded[place] ^ 1 << place % 8,)) + encoded[place + 1 :],
        )


def superfluous(given: Vector, encoded: bytes) -> range:
    """Where the last certificate stands, if the service has it already: nobody looks at it."""
    if not given.chain or given.chain[-1] not in given.roots:
        return range(0)
    last = given.statement[1]["x5c"][-1]
    start = encoded.index(last)
    return range(start, start + len(last))


@pytest.mark.parametrize("name", SOUND)
def test_no_byte_that_counts_can_be_changed(name: str, tmp_path: Path) -> None:
    given = vector(name)
    party, sound = party_of(given, tmp_path), read_registration(given.credential)
    assert verdict(party, given, sound) is None
    idle = superfluous(given, sound.attestation_object)
    for place, encoded in changed(sound.attestation_object):
        reason = verdict(party, given, sound._replace(attestation_object=encoded))
        assert reason or place in idle, place


@pytest.mark.parametrize("name", SOUND)
def test_no_byte_of_what_is_attested_can_be_changed(name: str, tmp_path: Path) -> None:
    given = vector(name)
    party, sound = party_of(given, tmp_path), read_registration(given.credential)
    attestation = read_attestation(sound)
    for _, data in changed(attestation.authenticator_data):
        parts = {"fmt": attestation.fmt, "attStmt": attestation.statement, "authData": data}
        assert verdict(party, given, sound._replace(attestation_object=cbor2.dumps(parts)))


@pytest.mark.parametrize("name", SOUND)
def test_no_member_of_a_statement_can_be_left_out_or_emptied(name: str, tmp_path: Path) -> None:
    given = vector(name)
    party, sound = party_of(given, tmp_path), read_registration(given.credential)
    attestation = read_attestation(sound)
    for member, value in attestation.statement.items():
        others = {key: kept for key, kept in attestation.statement.items() if key != member}
        for made in (others, {**others, member: type(value)()}, {**others, member: None}):
            parts = {
                "fmt": attestation.fmt,
                "attStmt": made,
                "authData": attestation.authenticator_data,
            }
            assert verdict(party, given, sound._replace(attestation_object=cbor2.dumps(parts)))
