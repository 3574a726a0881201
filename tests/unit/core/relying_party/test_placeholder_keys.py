"""Keys that nobody has: one of each algorithm, for the time that a verification takes."""

from __future__ import annotations

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from core.relying_party import authentication, placeholder_keys
from core.relying_party import cose_key as cose
from core.relying_party.errors import BadCredential
from core.relying_party.placeholder_keys import placeholder_credential


def test_there_is_a_sound_key_of_every_offered_algorithm() -> None:
    """D2: a decoy can take the time of any."""
    keys = placeholder_keys.generate_keys()
    assert set(keys) == set(cose.OFFERED)
    for algorithm, key in keys.items():
        assert cose.canonical(key) == key
        assert cose.algorithm_of(key) == algorithm
    assert len(cbor2.loads(keys[cose.RS256])[cose.N]) * 8 == cose.MIN_RSA_BITS


def test_they_are_made_once_and_of_chance() -> None:
    """D2: whoever knew a private half could have a decoy answer otherwise."""
    made = placeholder_keys.generate_keys
    assert placeholder_keys.placeholder_keys() is placeholder_keys.placeholder_keys()
    assert not set(made().values()) & set(made().values())


@pytest.mark.parametrize("junk", [b"", b"\x01", b"\xa0", b"\xff", b"\xa1\x01\x02"])
def test_what_is_no_key_has_no_algorithm(junk: bytes) -> None:
    assert cose.algorithm_of(junk) == 0


def test_nobodys_passkey_has_never_been_used_and_is_nobodys() -> None:
    passkey = placeholder_credential()
    assert passkey.public_key == placeholder_keys.placeholder_keys()[cose.ES256]
    assert (passkey.sign_count, passkey.backup_eligible) == (0, False)
    assert passkey.user_handle == b"nobody"


@pytest.mark.parametrize("algorithm", cose.OFFERED)
def test_a_refused_signature_is_tried_under_every_other_algorithm(
    monkeypatch: pytest.MonkeyPatch, algorithm: int
) -> None:
    """D2: the same signature over the same bytes, and each refusal is kept quiet."""
    tried: list[tuple[int, bytes, bytes]] = []

    def refuse(public_key: bytes, signature: bytes, signed: bytes) -> None:
        tried.append((cose.algorithm_of(public_key), signature, signed))
        raise BadCredential("signature")

    monkeypatch.setattr(authentication, "verify_signature", refuse)
    key = placeholder_keys.placeholder_keys()[algorithm]
    authentication._equalise_verification_time(key, b"signature", b"signed")
    others = [other for other in cose.OFFERED if other != algorithm]
    assert sorted(tried) == sorted((other, b"signature", b"signed") for other in others)


def test_a_signature_by_the_generators_key_is_one_by_nobody() -> None:
    """A key whose private half is 1 stood here once: anyone could sign for a decoy."""
    one = ec.derive_private_key(1, ec.SECP256R1())
    signature = one.sign(b"signed", ec.ECDSA(SHA256()))
    with pytest.raises(BadCredential, match=r"^signature$"):
        cose.verify_signature(placeholder_credential().public_key, signature, b"signed")
