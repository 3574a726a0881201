"""Reading attestation objects (WebAuthn Level 3, section 6.5.4), and the reason of each refusal."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import cbor2
import pytest

from core.relying_party.attestation.object import AttestationObject, read_attestation
from core.relying_party.authenticator_data import require_attested_data
from core.relying_party.client_data import ClientData
from core.relying_party.errors import BadCredential
from core.relying_party.response_json import RegistrationResponse
from devtools import cose

KEY = cbor2.dumps(cose.cose_key(cose.generate_private_key(-7).public_key()))
AAGUID, CREDENTIAL_ID = bytes(range(16)), bytes(range(100, 117))
HEAD, COUNT = bytes(32), bytes(4)
ATTESTED = AAGUID + b"\x00\x11" + CREDENTIAL_ID + KEY
DATA = HEAD + b"\x45" + COUNT + ATTESTED
MALFORMED, MISSING = "attestation_malformed", "attested_data_missing"


def response(encoded: bytes) -> RegistrationResponse:
    client_data = ClientData(b"raw", "webauthn.create", "AAAA", "http://localhost", False, None)
    return RegistrationResponse(CREDENTIAL_ID, client_data, encoded, ())


def attestation(data: Any = DATA) -> AttestationObject:
    return AttestationObject(b"", b"raw", "none", {}, data)


def test_an_attestation_object_is_taken_apart() -> None:
    encoded = cbor2.dumps({"fmt": "packed", "attStmt": {"alg": -7}, "authData": DATA})
    read = read_attestation(response(encoded))
    assert read == AttestationObject(encoded, b"raw", "packed", {"alg": -7}, DATA)
    require_attested_data(read.authenticator_data)


def test_its_parts_are_where_they_belong() -> None:
    read = attestation()
    digest = hashlib.sha256(b"raw").digest()
    assert (read.aaguid, read.credential_id) == (AAGUID, CREDENTIAL_ID)
    assert (read.client_data_hash, read.to_be_signed) == (digest, DATA + digest)
    bare = {"fmt": "none", "attStmt": {}, "authData": DATA}
    assert cbor2.loads(replace(read, statement={"x": 1}).without_statement) == bare


def test_a_credential_id_may_be_longer_than_a_byte_can_say() -> None:
    data = DATA[:53] + b"\x01\x02" + bytes(258) + KEY
    assert attestation(data).credential_id == bytes(258)
    require_attested_data(data)


@pytest.mark.parametrize(
    "decoded",
    [
        [],
        {"fmt": "none", "attStmt": {}},
        {"fmt": "none", "attStmt": {}, "authData": DATA, "epAtt": True},
        {"fmt": "none", "attStmt": {}, "authdata": DATA},
        7,
    ],
    ids=["a list", "no authData", "a fourth member", "a name in another case", "a number"],
)
def test_an_attestation_object_has_three_members(decoded: Any) -> None:
    """A14: no more, no fewer, and no others."""
    with pytest.raises(BadCredential, match=f"^{MALFORMED}$"):
        read_attestation(response(cbor2.dumps(decoded)))


WHOLE = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": DATA})


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"\xff",
        WHOLE[:-1],
        WHOLE + b"\0",
        # Text that is no UTF-8, and a member twice.
        WHOLE.replace(b"none", b"\xff\xff\xff\xff"),
        b"\xa4" + WHOLE[1:] + b"cfmtdnone",
        WHOLE.replace(b"attStmt\xa0", b"attStmt\xa1\x81\x01\x02"),
    ],
    ids=[
        "nothing",
        "a break",
        "cut off",
        "a byte more",
        "no UTF-8",
        "a member twice",
        "a list key",
    ],
)
def test_an_attestation_object_is_one_canonical_item(encoded: bytes) -> None:
    """A14: refused in one word, whoever notices."""
    with pytest.raises(BadCredential, match=f"^{MALFORMED}$"):
        read_attestation(response(encoded))


@pytest.mark.parametrize(
    "data",
    ["text", None, b"", DATA[:54], DATA[:55], HEAD + b"\x05" + COUNT, HEAD + b"\x05" + DATA[33:]],
    ids=["text", "null", "nothing", "54 bytes", "55 bytes", "37 bytes", "no AT flag"],
)
def test_attested_data_must_be_there(data: Any) -> None:
    """A14: before anything in them is looked at."""
    with pytest.raises(BadCredential, match=f"^{MISSING}$"):
        require_attested_data(data)


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"\xa3" + KEY[1:],
        b"\xa8" + KEY[1:],
        b"\x01",
        KEY[:-1],
        b"\xb8\x05" + KEY[1:],
    ],
    ids=["none", "3 members", "8 members", "a number", "cut off", "a longer head"],
)
def test_a_key_must_be_worth_parsing(key: bytes) -> None:
    """A16: for the price of its first byte, or of one walk."""
    data = HEAD + b"\x45" + COUNT + AAGUID + b"\x00\x11" + CREDENTIAL_ID + key
    with pytest.raises(BadCredential, match=r"^public_key$"):
        require_attested_data(data)


def test_a_length_of_the_id_beyond_the_end_is_refused() -> None:
    """A15: by a reason, not by an IndexError."""
    data = DATA[:53] + (len(DATA) - 55).to_bytes(2) + DATA[55:]
    with pytest.raises(BadCredential, match=r"^public_key$"):
        require_attested_data(data)


def test_a_key_of_four_members_is_worth_parsing() -> None:
    key = cbor2.dumps({1: 1, 3: -8, -1: 6, -2: bytes(32)})
    require_attested_data(DATA[:72] + key)


def test_attested_data_are_followed_by_nothing() -> None:
    """A14: a byte behind the key is a byte that nobody reads."""
    with pytest.raises(BadCredential, match=r"^authenticator_data_malformed$"):
        require_attested_data(DATA + b"\0")
