"""Placeholder keys, one of each algorithm: a login without an account is verified against them."""

from __future__ import annotations

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

import core.relying_party
from core import cose, relying_party_library
from core.client_data import BadCredential
from core.relying_party import nobodys_passkey


def test_there_is_a_sound_key_of_every_offered_algorithm() -> None:
    """D2: a refused decoy takes the time of any of them."""
    keys = cose.fresh_keys()
    assert set(keys) == set(cose.OFFERED)
    for algorithm, key in keys.items():
        assert cose.canonical(key) == key
        assert cose.algorithm_of(key) == algorithm
    assert len(cbor2.loads(keys[cose.RS256])[cose.N]) * 8 == cose.MIN_RSA_BITS


def test_placeholder_keys_are_random_and_made_once() -> None:
    """D2: whoever knew a private key could sign for a decoy."""
    made = cose.fresh_keys
    assert cose.nobodys_keys() is cose.nobodys_keys()
    assert not set(made().values()) & set(made().values())


@pytest.mark.parametrize("junk", [b"", b"\x01", b"\xa0", b"\xff", b"\xa1\x01\x02"])
def test_what_is_no_key_has_no_algorithm(junk: bytes) -> None:
    assert cose.algorithm_of(junk) == 0


def test_the_placeholder_passkey_belongs_to_nobody_and_was_never_used() -> None:
    passkey = nobodys_passkey()
    assert passkey.public_key == cose.nobodys_keys()[cose.ES256]
    assert (passkey.sign_count, passkey.backup_eligible) == (0, False)
    assert passkey.user_handle == b"nobody"


@pytest.mark.parametrize("algorithm", cose.OFFERED)
def test_a_refused_signature_is_tried_under_every_other_algorithm(
    monkeypatch: pytest.MonkeyPatch, algorithm: int
) -> None:
    """D2: with the same signature over the same bytes; no further refusal is raised."""
    tried: list[tuple[int, bytes, bytes]] = []

    def refuse(public_key: bytes, signature: bytes, signed: bytes) -> None:
        tried.append((cose.algorithm_of(public_key), signature, signed))
        raise BadCredential("signature")

    monkeypatch.setattr(core.relying_party, "verify_signature", refuse)
    key = cose.nobodys_keys()[algorithm]
    core.relying_party._verify_as_others(key, b"signature", b"signed")
    others = [other for other in cose.OFFERED if other != algorithm]
    assert sorted(tried) == sorted((other, b"signature", b"signed") for other in others)


def test_a_signature_by_the_generators_key_is_one_by_nobody() -> None:
    """A key whose private half is 1 stood here once: anyone could sign for a decoy."""
    one = ec.derive_private_key(1, ec.SECP256R1())
    signature = one.sign(b"signed", ec.ECDSA(SHA256()))
    with pytest.raises(BadCredential, match=r"^signature$"):
        relying_party_library.verify_signature(nobodys_passkey().public_key, signature, b"signed")
