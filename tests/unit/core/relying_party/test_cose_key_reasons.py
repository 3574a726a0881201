"""Why a key is refused: each look on its own, and the numbers it goes by."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest

from core.cose import BadKey, canonical
from devtools import cose as soft

EC, ED, RSA = (soft.cose_key(soft.generate_private_key(alg).public_key()) for alg in (-7, -8, -257))
OUT = "RSA exponent out of bounds"
LENGTH = "not a byte string of the right length"
MEMBERS = "missing or unknown members"
REFUSED: dict[str, tuple[Any, str]] = {
    "a list": ([], "not a COSE map"),
    "a text label": ({**EC, "x": 1}, "not a COSE map"),
    "a key type that is true": ({**ED, 1: True}, "not a COSE key"),
    "no key type": ({k: v for k, v in EC.items() if k != 1}, "not a COSE key"),
    "no algorithm": ({k: v for k, v in EC.items() if k != 3}, "not a COSE key"),
    "ES384": ({**EC, 3: -35}, "algorithm not offered"),
    "ES256 of another key type": ({**EC, 1: 1}, "algorithm not offered"),
    "ES256 without y": ({k: v for k, v in EC.items() if k != -3}, MEMBERS),
    "ES256 with a key id": ({**EC, 2: b"kid"}, MEMBERS),
    "EdDSA with y": ({**ED, -3: bytes(32)}, MEMBERS),
    "EdDSA without x": ({k: v for k, v in ED.items() if k != -2}, MEMBERS),
    "RS256 with d": ({**RSA, -3: b"d"}, MEMBERS),
    "RS256 without e": ({k: v for k, v in RSA.items() if k != -2}, MEMBERS),
    "ES256 on P-384": ({**EC, -1: 2}, "ES256 takes P-256 only"),
    "ES256 on true": ({**EC, -1: True}, "ES256 takes P-256 only"),
    "EdDSA on X25519": ({**ED, -1: 4}, "EdDSA takes Ed25519 only"),
    "EdDSA on Ed448": ({**ED, -1: 7}, "EdDSA takes Ed25519 only"),
    "EdDSA on six point nought": ({**ED, -1: 6.0}, "EdDSA takes Ed25519 only"),
    "ES256 with a short x": ({**EC, -2: EC[-2][1:]}, LENGTH),
    "ES256 with a long y": ({**EC, -3: b"\0" + EC[-3]}, LENGTH),
    "ES256 with y in text": ({**EC, -3: "y" * 32}, LENGTH),
    "EdDSA with a short x": ({**ED, -2: ED[-2][1:]}, LENGTH),
    "EdDSA with a long x": ({**ED, -2: ED[-2] + b"\0"}, LENGTH),
    "RS256 with n in text": ({**RSA, -1: "n" * 256}, LENGTH),
    "RS256 with a number for e": ({**RSA, -2: 65537}, LENGTH),
    "RS256 with an even n": (
        {**RSA, -1: soft.minimal_bytes(int.from_bytes(RSA[-1]) + 1)},
        "RSA modulus out of bounds",
    ),
    "e of 2**16": ({**RSA, -2: soft.minimal_bytes(2**16)}, OUT),
    "e of 2**16 - 1": ({**RSA, -2: soft.minimal_bytes(2**16 - 1)}, OUT),
    "e that is even": ({**RSA, -2: soft.minimal_bytes(2**16 + 2)}, OUT),
    "e of 33 bits": ({**RSA, -2: soft.minimal_bytes(2**32 + 1)}, OUT),
    "a point off P-256": ({**EC, -3: bytes(31) + b"\1"}, "ValueError"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_key_is_refused_for_the_true_reason(name: str) -> None:
    """A13: by its own look, not by the next one."""
    key, words = REFUSED[name]
    with pytest.raises(BadKey, match=f"^{words}$"):
        canonical(cbor2.dumps(key))


def test_a_key_with_a_label_twice_is_no_cbor() -> None:
    """A13: which of the two would it be?"""
    encoded = cbor2.dumps(EC)
    twice = bytes([encoded[0] + 1]) + encoded[1:] + b"\x01\x02"
    with pytest.raises(BadKey, match=r"^CBORDecode(Value)?Error$"):
        canonical(twice)


@pytest.mark.parametrize("exponent", [65537, 65539, 2**32 - 1])
def test_an_exponent_within_bounds_is_taken(exponent: int) -> None:
    kept = cbor2.loads(canonical(cbor2.dumps({**RSA, -2: soft.minimal_bytes(exponent)})))
    assert int.from_bytes(kept[-2]) == exponent


def test_an_ed25519_point_that_is_none_is_refused() -> None:
    """A13: y = 2 has no x; y = 3 and its other sign have one."""
    for sign in (0, 1 << 255):
        with pytest.raises(BadKey, match=r"^not a point of the curve$"):
            canonical(cbor2.dumps({**ED, -2: (2 | sign).to_bytes(32, "little")}))
        assert canonical(cbor2.dumps({**ED, -2: (3 | sign).to_bytes(32, "little")}))


@pytest.mark.parametrize("key", [EC, ED, RSA], ids=["ES256", "EdDSA", "RS256"])
def test_what_is_kept_is_canonical(key: dict[int, Any]) -> None:
    backwards = cbor2.dumps(dict(reversed(list(key.items()))))
    assert canonical(backwards) == cbor2.dumps(key, canonical=True)
