"""Authenticator data end where the parts that their flags announce end (WebAuthn section 6.1)."""

from __future__ import annotations

import cbor2
import pytest

from core.relying_party.authenticator_data import require_structure
from core.relying_party.errors import BadCredential
from devtools.cose import ES256, cose_key, generate_private_key

HEAD, COUNT = bytes(32), bytes(4)
PLAIN, ATTESTED, EXTENDED, BOTH = b"\x05", b"\x45", b"\x85", b"\xc5"
KEY = cbor2.dumps(cose_key(generate_private_key(ES256).public_key()))
EXTENSIONS = cbor2.dumps({"credProtect": 2})


def credential(id_length: int, stated_length: int | None = None, key: bytes = KEY) -> bytes:
    """Attested credential data: AAGUID, the length of the id, the id, the key."""
    stated = id_length if stated_length is None else stated_length
    return bytes(16) + stated.to_bytes(2) + bytes(id_length) + key


WHOLE = {
    "plain": HEAD + PLAIN + COUNT,
    "with a passkey": HEAD + ATTESTED + COUNT + credential(32),
    "with a passkey whose id is empty": HEAD + ATTESTED + COUNT + credential(0),
    "with an id of more than 255 bytes": HEAD + ATTESTED + COUNT + credential(258),
    "with extensions": HEAD + EXTENDED + COUNT + EXTENSIONS,
    "with both": HEAD + BOTH + COUNT + credential(32) + EXTENSIONS,
}
INCOMPLETE = {
    "nothing": b"",
    "no flags": HEAD,
    "no passkey": HEAD + ATTESTED + COUNT,
    "an AAGUID alone": HEAD + ATTESTED + COUNT + bytes(16),
    "no extensions": HEAD + EXTENDED + COUNT,
    "neither of both": HEAD + BOTH + COUNT,
    "a passkey, no extensions": HEAD + BOTH + COUNT + credential(32),
    "extensions that no flag announces": HEAD + PLAIN + COUNT + EXTENSIONS,
    "a float for extensions": HEAD + EXTENDED + COUNT + b"\xf9\x3c\x00",
    "a list for extensions": HEAD + EXTENDED + COUNT + b"\x80",
    "an extension twice": HEAD + EXTENDED + COUNT + b"\xa2\x01\x02\x01\x02",
    "a name that is not UTF-8": HEAD + EXTENDED + COUNT + b"\xa1\x61\xff\x01",
}


def assert_refused(data: bytes) -> None:
    with pytest.raises(BadCredential, match=r"^authenticator_data_malformed$"):
        require_structure(data)


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_exactly_what_the_flags_announce_is_taken(data: bytes) -> None:
    """A14: neither a byte more nor a byte less."""
    require_structure(data)
    for more in (b"\0", b"\xa0", b"JUNK!!", bytes(500)):
        assert_refused(data + more)
    for fewer in (1, 2, 5, 8):
        assert_refused(data[:-fewer])


@pytest.mark.parametrize("data", INCOMPLETE.values(), ids=INCOMPLETE)
def test_a_part_that_is_missing_malformed_or_not_announced_is_refused(data: bytes) -> None:
    """A14: before a reader of CBOR sees the bytes, in logins too."""
    assert_refused(data)


@pytest.mark.parametrize("length", [0, 31, 33, 64, 65535])
def test_a_credential_id_of_another_length_than_stated_is_refused(length: int) -> None:
    """A12, A14: what stands behind it is no key, or not the end."""
    assert_refused(HEAD + ATTESTED + COUNT + credential(32, stated_length=length))
