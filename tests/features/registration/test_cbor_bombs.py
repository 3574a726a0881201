"""CBOR is read as authenticators write it, not as RFC 8949 would allow it to be written."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from typing import Any

import pytest

from devtools import cose
from devtools.authenticator import OMIT, Flaw, SoftAuthenticator, packed_self, with_raw_statement
from devtools.hostile_keys import with_parameters
from tests.features.cbor_bombs import (
    colliding_fractions,
    in_a_member,
    regular_expressions,
    shared_references,
    under_a_name,
)
from tests.features.expect import (
    assert_login_refused,
    assert_nothing_stored,
    assert_registration_refused,
)
from tests.support.service import JANE, Service

MAX_CPU_SECONDS = 0.1
MALFORMED = ("attestation_malformed", "authenticator_data_malformed", "public_key")
BOMBS = {
    "shared references": shared_references(),
    "regular expressions": regular_expressions(),
    "colliding fractions": colliding_fractions(),
}
BARE = {"publicKey": OMIT, "authenticatorData": OMIT}
HALF_FLOAT = b"\xf9\xc7\x00"  # -7.0 in three bytes, that every encoder of Python writes in nine


def registration(service: Service, device: SoftAuthenticator, flaw: Flaw, **how: Any) -> Any:
    credential = device.create(service.begin_registration(), flaw=flaw, **how)
    return service.complete_registration(JANE["email"], credential)


@pytest.fixture(autouse=True)
def without_garbage_collection() -> Iterator[None]:
    """A collection of the whole test process takes longer than what is measured here."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("place", ["statement", "key", "extensions"])
def test_a_bomb_in_a_registration_does_not_go_off(
    service: Service, device: SoftAuthenticator, bomb: str, place: str
) -> None:
    """A16: these stand for larger ones, which cost minutes, or all the memory there is."""
    value = BOMBS[bomb]
    flaw = {
        "statement": Flaw(attestation_object=with_raw_statement(under_a_name(value))),
        "key": Flaw(cose_key=in_a_member(value)),
        "extensions": Flaw(extensions=under_a_name(value)),
    }[place]
    start = time.process_time()
    answer = registration(service, device, Flaw(**{**vars(flaw), "response": BARE}))
    assert time.process_time() - start < MAX_CPU_SECONDS
    assert_registration_refused(service, answer, *MALFORMED)
    assert_nothing_stored(service)


@pytest.mark.parametrize("bomb", ["shared references", "regular expressions"])
def test_a_bomb_in_a_login_does_not_go_off(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], bomb: str
) -> None:
    """A16: an attacker may register a passkey of their own, and log in with it."""
    start = time.process_time()
    answer = service.try_login(device, flaw=Flaw(extensions=under_a_name(BOMBS[bomb])))
    assert time.process_time() - start < MAX_CPU_SECONDS
    assert_login_refused(service, answer, "authenticator_data_malformed")


@pytest.mark.parametrize(
    ("alg", "label", "value"),
    [
        pytest.param(cose.EDDSA, cose.KTY, True, id="a key type that is true"),
        pytest.param(cose.EDDSA, cose.CRV, 6.0, id="a curve that is a fraction"),
        pytest.param(cose.ES256, cose.CRV, True, id="a curve that is true"),
        pytest.param(cose.ES256, cose.ALG, -7.0, id="an algorithm that is a fraction"),
    ],
)
def test_a_key_parameter_that_only_python_takes_for_the_right_one_is_refused(
    service: Service, device: SoftAuthenticator, alg: int, label: int, value: object
) -> None:
    """A13: True is not 1, and -7.0 is not -7."""
    flaw = Flaw(cose_key=with_parameters({label: value}))
    answer = registration(service, device, flaw, alg=alg)
    assert_registration_refused(service, answer, *MALFORMED)
    assert_nothing_stored(service)


def test_bytes_may_not_trail_in_the_shadow_of_a_short_float(
    service: Service, device: SoftAuthenticator
) -> None:
    """A14: written out again the float is six bytes longer, just as many as trail."""
    extensions = b"\xa1aa" + HALF_FLOAT
    flaw = Flaw(extensions=extensions, trailing_authenticator_data=b"JUNK!!")
    assert_registration_refused(service, registration(service, device, flaw), *MALFORMED)


def test_bytes_may_not_trail_the_object_in_the_shadow_of_a_short_float(
    service: Service, device: SoftAuthenticator
) -> None:
    """A14: the same in a self attestation, whose algorithm is -7.0."""

    def shortened(honest: bytes) -> bytes:
        return honest.replace(b"calg\x26", b"calg" + HALF_FLOAT) + b"JUNK!!"

    flaw = Flaw(attestation=packed_self(), attestation_object=shortened)
    assert_registration_refused(service, registration(service, device, flaw), *MALFORMED)
