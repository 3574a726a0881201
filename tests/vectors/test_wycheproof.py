"""Project Wycheproof: what verifies is valid, and nothing but `InvalidSignature` comes out."""

from __future__ import annotations

from collections import Counter

import pytest

from core.relying_party import cose_key as cose
from tests.vectors.signatures import FILES, Signature, signatures, verifies

# Under sound keys that no passkey of this service has: their exponent is 3 (FIPS 186-5 §5.1).
UNREGISTRABLE = {"small signature", "signature is close to n"}


def of(source: str) -> list[Signature]:
    return [each for each in signatures() if each.source == source]


def is_registrable(signature: Signature) -> bool:
    try:
        cose.canonical(signature.key)
    except cose.BadKey:
        return False
    return True


@pytest.mark.parametrize("source", FILES)
def test_the_valid_verify_and_the_invalid_do_not(source: str) -> None:
    judged = [each for each in of(source) if is_registrable(each) and each.result != "acceptable"]
    assert [str(each) for each in judged if verifies(each) != (each.result == "valid")] == []
    assert judged


@pytest.mark.parametrize("source", FILES)
def test_the_acceptable_may_go_either_way_but_raise_nothing(source: str) -> None:
    for each in of(source):
        if each.result == "acceptable":
            assert verifies(each) in (True, False)


def test_no_key_is_refused_but_those_with_the_exponent_3() -> None:
    refused = [each for each in signatures() if not is_registrable(each)]
    assert {each.given["comment"] for each in refused} == UNREGISTRABLE
    assert {each.source for each in refused} == {"Wycheproof RSA 2048"}


def test_the_files_are_whole() -> None:
    counts = Counter(each.source for each in signatures())
    assert counts == {
        "Wycheproof ECDSA P-256": 484,
        "Wycheproof Ed25519": 151,
        "Wycheproof RSA 2048": 259,
    }
