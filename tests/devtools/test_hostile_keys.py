"""The hostile keys and texts are as hostile as they claim."""

import time
from base64 import urlsafe_b64decode
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from webauthn import verify_registration_response
from webauthn.helpers import base64url_to_bytes

from devtools import hostile_cbor, hostile_keys
from devtools.authenticator import Flaw, SoftAuthenticator
from devtools.cose import ALG, CRV, EDDSA, KTY, E, N, X, Y, cose_key, generate_private_key
from devtools.encoding import from_b64url
from devtools.hostile_text import same_bytes_other_text
from devtools.options import CHALLENGE, creation_options


def attested(key: object) -> bytes:
    """The key as registration carries it, behind a credential ID of 32 bytes."""
    credential = SoftAuthenticator().create(creation_options(), flaw=Flaw(cose_key=key))
    return from_b64url(credential["response"]["authenticatorData"])[37 + 16 + 2 + 32 :]


def accepted_by_py_webauthn(key: object) -> Any:
    """What the library makes of the key on its own, with nobody to check it further."""
    credential = SoftAuthenticator().create(creation_options(), flaw=Flaw(cose_key=key))
    return verify_registration_response(
        credential=credential,
        expected_challenge=base64url_to_bytes(CHALLENGE),
        expected_rp_id="localhost",
        expected_origin="http://localhost:8000",
    )


def test_every_hostile_key_goes_into_a_registration() -> None:
    for name, key in hostile_keys.EVERY.items():
        assert isinstance(attested(key), bytes), name


@pytest.mark.parametrize(
    "key",
    [hostile_keys.off_curve(), hostile_keys.rsa(512), hostile_keys.short_ed25519()],
)
def test_py_webauthn_alone_would_accept_a_broken_key(key: object) -> None:
    accepted_by_py_webauthn(key)


def test_the_points_off_the_curve_are_off_the_curve() -> None:
    for key in (hostile_keys.off_curve(), hostile_keys.zero_point()):
        x, y = int.from_bytes(key[X], "big"), int.from_bytes(key[Y], "big")
        with pytest.raises(ValueError, match=r"curve|point"):
            ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def test_the_p384_key_is_good_but_for_its_algorithm() -> None:
    key = hostile_keys.p384()
    x, y = int.from_bytes(key[X], "big"), int.from_bytes(key[Y], "big")
    ec.EllipticCurvePublicNumbers(x, y, ec.SECP384R1()).public_key()
    assert (key[ALG], key[CRV]) == (-7, 2)


@pytest.mark.parametrize(("bits", "e"), [(512, 3), (1024, 65537), (2048, 1)])
def test_an_rsa_key_has_the_size_and_exponent_asked_for(bits: int, e: int) -> None:
    key = hostile_keys.rsa(bits, e)
    assert int.from_bytes(key[N], "big").bit_length() == bits
    assert int.from_bytes(key[E], "big") == e


def test_anybody_can_sign_under_the_ed25519_key_of_small_order() -> None:
    x = hostile_keys.small_order_ed25519()[X]
    public_key = ed25519.Ed25519PublicKey.from_public_bytes(x)
    public_key.verify(hostile_keys.UNIVERSAL_ED25519_SIGNATURE, b"whatever")


@pytest.mark.parametrize(
    ("key", "on_curve"),
    [
        (hostile_keys.off_curve_ed25519(), False),
        (cose_key(generate_private_key(EDDSA).public_key()), True),
    ],
)
def test_the_ed25519_key_off_the_curve_has_no_x(key: dict[int, Any], on_curve: bool) -> None:
    prime, y = 2**255 - 19, int.from_bytes(key[X], "little") % 2**255
    d = -121665 * pow(121666, -1, prime)
    square = (y * y - 1) * pow(d * y * y + 1, -1, prime)  # RFC 8032 §5.1.3
    assert (pow(square, (prime - 1) // 2, prime) == 1) is on_curve


def test_parameters_can_be_taken_out_and_put_in() -> None:
    assert KTY not in cbor2.loads(attested(hostile_keys.without(KTY)))
    assert cbor2.loads(attested(hostile_keys.with_parameters({ALG: -37})))[ALG] == -37
    assert len(attested(hostile_keys.huge_parameter(5000))) > 5000


def test_a_label_given_twice_is_a_duplicate_to_a_strict_decoder() -> None:
    with pytest.raises(cbor2.CBORDecodeError, match=r"[Dd]uplicate"):
        cbor2.loads(attested(hostile_cbor.repeated_kty), allow_duplicate_keys=False)


def test_a_map_of_indefinite_length_decodes_to_the_honest_key() -> None:
    decoded = cbor2.loads(attested(hostile_cbor.indefinite_length))
    assert set(decoded) == {KTY, ALG, CRV, X, Y}


def test_colliding_integers_collide_and_cost_quadratic_time() -> None:
    assert {hash(label) for label in cbor2.loads(hostile_cbor.colliding_integer_map(50))} == {0}
    assert len(cbor2.loads(attested(hostile_cbor.with_colliding_parameters(50)))) == 55
    small, large = (seconds_to_decode(hostile_cbor.colliding_integer_map(n)) for n in (500, 4000))
    assert large > 16 * small  # 8 times the entries: 8 times the time if linear, 64 if quadratic


def seconds_to_decode(encoded: bytes) -> float:
    """The best of three, so that a busy machine does not decide."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        cbor2.loads(encoded)
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.parametrize("encoded", [hostile_cbor.nested_lists(), hostile_cbor.claimed_length()])
def test_hostile_lists_are_no_cbor_that_can_be_decoded(encoded: bytes) -> None:
    with pytest.raises(cbor2.CBORDecodeError):
        cbor2.loads(encoded)


@pytest.mark.parametrize("length", [31, 32, 33])
def test_other_spellings_decode_to_the_same_bytes(length: int) -> None:
    text = CHALLENGE[: (length * 8 + 5) // 6]
    canonical = urlsafe_b64decode(text + "===")
    spellings = same_bytes_other_text(text)
    assert len(spellings) >= 5
    for spelling in spellings.values():
        assert spelling != text
        assert urlsafe_b64decode(spelling + "===") == canonical
