"""Authenticator data end where their parts end: our own look, with no library behind it."""

from __future__ import annotations

import cbor2
import pytest

from core.attestation_object import require_authenticator_data
from core.client_data import BadCredential
from devtools.cose import ES256, cose_key, generate_private_key

HEAD = bytes(32)
COUNT = bytes(4)
PLAIN, ATTESTED, EXTENDED = b"\x05", b"\x45", b"\x85"
BOTH = b"\xc5"
KEY = cbor2.dumps(cose_key(generate_private_key(ES256).public_key()))
CREDENTIAL = bytes(16) + (32).to_bytes(2) + bytes(32) + KEY
EXTENSIONS = cbor2.dumps({"credProtect": 2})
WHOLE = {
    "plain": HEAD + PLAIN + COUNT,
    "with a passkey": HEAD + ATTESTED + COUNT + CREDENTIAL,
    "with extensions": HEAD + EXTENDED + COUNT + EXTENSIONS,
    "with both": HEAD + BOTH + COUNT + CREDENTIAL + EXTENSIONS,
}


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_exactly_what_the_flags_announce_is_taken(data: bytes) -> None:
    require_authenticator_data(data)


@pytest.mark.parametrize("more", [b"\0", b"\xa0", b"JUNK!!", bytes(500)], ids=len)
@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_a_byte_more_is_refused(data: bytes, more: bytes) -> None:
    """A14: py_webauthn would see it too, but by encoding again what it has read."""
    with pytest.raises(BadCredential, match="authenticator_data_malformed"):
        require_authenticator_data(data + more)


@pytest.mark.parametrize("less", [1, 2, 5, 8])
@pytest.mark.parametrize("name", [name for name in WHOLE if name != "plain"])
def test_a_byte_less_is_refused(name: str, less: int) -> None:
    """A14: nothing is read past the end."""
    with pytest.raises(BadCredential, match="authenticator_data_malformed"):
        require_authenticator_data(WHOLE[name][:-less])


@pytest.mark.parametrize("flags", [ATTESTED, EXTENDED, BOTH], ids=["AT", "ED", "both"])
def test_a_part_that_is_announced_must_be_there(flags: bytes) -> None:
    """A14: a flag is a promise."""
    with pytest.raises(BadCredential, match="authenticator_data_malformed"):
        require_authenticator_data(HEAD + flags + COUNT)


@pytest.mark.parametrize("length", [0, 31, 33, 64, 65535])
def test_a_credential_id_of_a_false_length_is_refused(length: int) -> None:
    """A12, A14: what stands behind it is no key, or not the end."""
    credential = bytes(16) + length.to_bytes(2) + bytes(32) + KEY
    with pytest.raises(BadCredential, match="authenticator_data_malformed"):
        require_authenticator_data(HEAD + ATTESTED + COUNT + credential)
