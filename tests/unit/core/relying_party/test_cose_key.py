"""COSE keys: which ones are taken, and in what form they are kept."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest

from core.relying_party import cose_key as cose
from core.relying_party.cose_key import BadKey, canonical
from devtools import cose as soft
from devtools import hostile_keys
from devtools.authenticator_data import as_cbor

HONEST = {
    name: soft.cose_key(soft.generate_private_key(alg).public_key())
    for name, alg in (("ES256", -7), ("EdDSA", -8), ("RS256", -257))
}
# libsodium's list (ge25519_has_small_order), read little-endian.
SMALL_ORDER = [
    0,
    1,
    2**255 - 20,
    0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
]
RAW = {
    "nothing": b"",
    "no CBOR": b"\xff",
    "cut off": b"\xa5\x01",
    "an integer": b"\x07",
    "null": b"\xf6",
    "a list": b"\x80",
    "text labels": cbor2.dumps({"kty": 2, "alg": -7}),
    "a label that is true": b"\xa1\xf5\x01",
    "a label that is a fraction": b"\xa1\xf9\x3c\x00\x01",
    "a key type that is a list": cbor2.dumps({1: [], 3: -7}),
    "a label twice": b"\xa2\x01\x02\x01\x02",
}


def encoded(key: object) -> bytes:
    """The hostile key as it would stand in a registration with ES256."""
    return as_cbor(key(HONEST["ES256"]) if callable(key) else key)


def changed(name: str, members: dict[int, Any]) -> bytes:
    return cbor2.dumps({**HONEST[name], **members})


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_key_is_kept_as_it_is(name: str) -> None:
    key = cbor2.dumps(HONEST[name], canonical=True)
    assert canonical(key) == key


@pytest.mark.parametrize("name", HONEST)
def test_order_and_length_of_encoding_do_not_matter(name: str) -> None:
    members = HONEST[name].items()
    backwards = cbor2.dumps(dict(reversed(members)))
    assert canonical(backwards) == cbor2.dumps(HONEST[name], canonical=True)
    wordy = b"\xb8" + bytes([len(members)]) + cbor2.dumps(HONEST[name])[1:]
    assert canonical(wordy) == cbor2.dumps(HONEST[name], canonical=True)


OPTIONAL: dict[str, dict[int, Any]] = {
    "a key id": {2: b"key-1"},
    "a key id of 64 bytes": {2: bytes(64)},
    "verify": {4: [2]},
    "verify in text": {4: ["verify"]},
    "sign and verify, and a key id": {2: b"key-1", 4: [1, 2]},
}
NOT_OPTIONAL: dict[str, dict[int, Any]] = {
    "a key id in text": {2: "key-1"},
    "a key id of 65 bytes": {2: bytes(65)},
    "sign alone": {4: [1]},
    "no operation": {4: []},
    "verify outside of a list": {4: 2},
    "verify as a fraction": {4: [2.0]},
    "true": {4: [True]},
    "eleven operations": {4: [2] * 11},
    "a base IV": {5: bytes(8)},
    "a private key": {-4: bytes(32)},
    "an unknown label": {6: b""},
}


@pytest.mark.parametrize("members", OPTIONAL.values(), ids=OPTIONAL)
@pytest.mark.parametrize("name", HONEST)
def test_optional_parameters_that_tokens_add_are_dropped(
    name: str, members: dict[int, Any]
) -> None:
    """A13: Nitrokey 3 adds key operations to the keys of discoverable credentials."""
    assert canonical(changed(name, members)) == cbor2.dumps(HONEST[name], canonical=True)


@pytest.mark.parametrize("members", NOT_OPTIONAL.values(), ids=NOT_OPTIONAL)
@pytest.mark.parametrize("name", HONEST)
def test_every_other_parameter_is_refused(name: str, members: dict[int, Any]) -> None:
    """A13: above all a private key, and operations that are not to verify."""
    with pytest.raises(BadKey):
        canonical(changed(name, members))


def test_numbers_of_rsa_are_kept_without_leading_zeros() -> None:
    key = HONEST["RS256"]
    padded = {soft.N: b"\0" + key[soft.N], soft.E: b"\0\0\0" + key[soft.E]}
    assert canonical(changed("RS256", padded)) == cbor2.dumps(key, canonical=True)


# Decoded it is the honest key, and kept in its one form; over HTTP it is refused all the same.
HARMLESS = "a map of indefinite length"


@pytest.mark.parametrize("name", [name for name in hostile_keys.EVERY if name != HARMLESS])
def test_a_hostile_key_is_none(name: str) -> None:
    """A13: this check alone, with no library before it, and no cap on the length."""
    with pytest.raises(BadKey):
        canonical(encoded(hostile_keys.EVERY[name]))


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW)
def test_what_is_no_cose_map_of_integers_is_none(raw: bytes) -> None:
    """A13, A15: nothing but BadKey comes out, whatever went in."""
    with pytest.raises(BadKey):
        canonical(raw)


@pytest.mark.parametrize("crv", [0, 2, 4, 7, -6, True, 6.0, 1.0, "6", None], ids=repr)
@pytest.mark.parametrize("name", ["ES256", "EdDSA"])
def test_an_honest_key_under_another_curve_is_refused(name: str, crv: object) -> None:
    """A13: P-256 for ES256 and Ed25519 for EdDSA, and no number that only looks like theirs."""
    with pytest.raises(BadKey, match="only"):
        canonical(changed(name, {soft.CRV: crv}))


@pytest.mark.parametrize("label", [soft.KTY, soft.ALG])
@pytest.mark.parametrize("name", HONEST)
def test_a_type_or_algorithm_that_only_looks_right_is_refused(name: str, label: int) -> None:
    """A13: python takes 2.0 for 2, and True for 1."""
    with pytest.raises(BadKey):
        canonical(changed(name, {label: float(HONEST[name][label])}))
    with pytest.raises(BadKey):
        canonical(changed("EdDSA", {soft.KTY: True}))


@pytest.mark.parametrize("bits", [1024, 2047, 4097])
def test_rsa_has_2048_to_4096_bits(bits: int) -> None:
    """A13: less can be broken, more costs too much at every login."""
    modulus = (1 << (bits - 1)) | 1
    with pytest.raises(BadKey, match="modulus"):
        canonical(changed("RS256", {soft.N: soft.minimal_bytes(modulus)}))


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_rsa_of_these_sizes_is_taken(bits: int) -> None:
    modulus = soft.minimal_bytes((1 << (bits - 1)) | 1)
    kept = cbor2.loads(canonical(changed("RS256", {soft.N: modulus})))
    assert kept[soft.N] == modulus


@pytest.mark.parametrize("exponent", [0, 1, 3, 17, 65535, 65536, 65538, 2**32 + 1])
def test_an_rsa_exponent_out_of_bounds_is_refused(exponent: int) -> None:
    """A13: with e = 1 anybody signs; FIPS 186-5 §5.1 wants an odd number over 2^16."""
    with pytest.raises(BadKey, match="exponent"):
        canonical(changed("RS256", {soft.E: soft.minimal_bytes(exponent)}))


@pytest.mark.parametrize("y", SMALL_ORDER, ids=["4", "1", "2", "8", "8 as well"])
def test_an_ed25519_point_of_small_order_is_refused(y: int) -> None:
    """A13: anybody can sign under these in a few tries; ids are the orders."""
    assert eight_times(y) == 1
    for sign in (0, 1 << 255):
        with pytest.raises(BadKey, match="point"):
            canonical(changed("EdDSA", {soft.X: (y | sign).to_bytes(32, "little")}))


@pytest.mark.parametrize("beyond", [0, 1, 18])
def test_an_ed25519_point_beyond_the_prime_is_refused(beyond: int) -> None:
    """A13: another spelling of the same point."""
    y = cose.ED25519_PRIME + beyond
    with pytest.raises(BadKey, match="point"):
        canonical(changed("EdDSA", {soft.X: y.to_bytes(32, "little")}))


def eight_times(y: int) -> int:
    """RFC 8032 §5.1.4: the y of eight times the point with this y."""
    prime, d = cose.ED25519_PRIME, cose.ED25519_D
    for _ in range(3):
        x_squared = (y * y - 1) * pow(d * y * y + 1, -1, prime)
        y = (y * y + x_squared) * pow(2 + x_squared - y * y, -1, prime) % prime
    return y


def test_only_three_algorithms_are_offered() -> None:
    """A17: ES256, EdDSA, RS256, in the order of preference."""
    assert cose.OFFERED == (-7, -8, -257)


EC, ED, RSA = HONEST.values()
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
    "ES256 with a base IV": ({**EC, 5: b"iv"}, MEMBERS),
    "ES256 with a long key id": ({**EC, 2: bytes(65)}, "a key id that is too long"),
    "ES256 with operations that are none": ({**EC, 4: 2}, "key operations that are none"),
    "ES256 for signing": ({**EC, 4: [1]}, "not a key for verifying"),
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
def test_a_key_is_refused_for_its_own_reason(name: str) -> None:
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
