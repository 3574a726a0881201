"""Public keys are checked when they are registered: a bad one must not crash every later login."""

from __future__ import annotations

import cbor2
import pytest

from devtools import cose, hostile_keys
from devtools.authenticator import Flaw, SoftAuthenticator, packed_self
from tests.features.expect import (
    assert_nothing_stored,
    assert_registration_refused,
    events_of,
    passkeys,
)
from tests.support.service import JANE, Service

TOO_LARGE = "an unknown parameter of 1 MB"
# The first thing that is wrong decides; some are wrong already for the library.
REASONS = (
    "public_key",
    "authenticator_data_malformed",
    "algorithm",
    "InvalidPublicKeyStructure",
    "UnsupportedPublicKeyType",
    "unexpected_KeyError",
)
# RFC 9053, RFC 8812: RS384, RS512, PS256, PS384, PS512, RS1, ES384, ES512, ES256K.
NEVER_OFFERED = (-258, -259, -37, -38, -39, -65535, -35, -36, -47)


@pytest.mark.parametrize("name", [name for name in hostile_keys.EVERY if name != TOO_LARGE])
def test_a_hostile_key_is_refused_at_registration(
    service: Service, device: SoftAuthenticator, name: str
) -> None:
    """A13, A15: nobody has signed for the key under attestation `none`."""
    flaw = Flaw(cose_key=hostile_keys.EVERY[name])
    credential = device.create(service.begin_registration(), flaw=flaw)
    answer = service.complete_registration(JANE["email"], credential)
    assert_registration_refused(service, answer, *REASONS)
    assert_nothing_stored(service)


def test_a_key_of_a_megabyte_is_refused_before_it_is_read(
    service: Service, device: SoftAuthenticator
) -> None:
    """A13, A16: the cap on bodies comes first."""
    flaw = Flaw(cose_key=hostile_keys.EVERY[TOO_LARGE])
    credential = device.create(service.begin_registration(), flaw=flaw)
    answer = service.complete_registration(JANE["email"], credential)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert events_of(service, answer) == []
    assert_nothing_stored(service)


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(hostile_keys.off_curve(), id="off the curve"),
        pytest.param(hostile_keys.rsa(512), id="RSA of 512 bits"),
        pytest.param(hostile_keys.rsa(e=1), id="RSA with e = 1"),
        pytest.param(hostile_keys.short_ed25519(), id="Ed25519 of 5 bytes"),
        pytest.param(hostile_keys.small_order_ed25519(), id="Ed25519 of small order"),
        pytest.param(hostile_keys.off_curve_ed25519(), id="Ed25519 off the curve"),
        pytest.param(hostile_keys.huge_parameter(8 << 10), id="an unknown parameter"),
        pytest.param(hostile_keys.p384(), id="crv that is not that of alg"),
    ],
)
def test_a_key_that_only_this_service_refuses_is_refused(
    service: Service, device: SoftAuthenticator, key: object
) -> None:
    """A13: py_webauthn alone accepts each of these, see tests/devtools/test_hostile_keys.py."""
    credential = device.create(service.begin_registration(), flaw=Flaw(cose_key=key))
    answer = service.complete_registration(JANE["email"], credential)
    assert_registration_refused(service, answer, "public_key")
    assert_nothing_stored(service)


@pytest.mark.parametrize("alg", NEVER_OFFERED)
@pytest.mark.parametrize("attested", [False, True], ids=["none", "packed"])
def test_an_algorithm_that_was_not_offered_is_refused(
    service: Service, device: SoftAuthenticator, alg: int, attested: bool
) -> None:
    """A13, A17: an RSA key that says PSS, SHA-1 or the like."""
    flaw = Flaw(
        cose_key=hostile_keys.with_parameters({cose.ALG: alg}),
        attestation=packed_self(alg=alg) if attested else None,
    )
    options = service.begin_registration()
    credential = device.create(options, alg=cose.RS256, flaw=flaw)
    answer = service.complete_registration(JANE["email"], credential)
    assert_registration_refused(service, answer, "algorithm", "public_key")
    assert_nothing_stored(service)


def test_no_weak_algorithm_is_offered(service: Service) -> None:
    """A17: neither SHA-1 nor RSA-PSS, and nothing that could not be verified here."""
    offered = service.begin_registration()["pubKeyCredParams"]
    assert offered == [{"type": "public-key", "alg": alg} for alg in (-7, -8, -257)]


@pytest.mark.parametrize(
    "alg", [cose.ES256, cose.EDDSA, cose.RS256], ids=["ES256", "EdDSA", "RS256"]
)
def test_each_algorithm_that_is_offered_serves(
    service: Service, device: SoftAuthenticator, alg: int
) -> None:
    service.register(device, alg=alg)
    assert service.try_login(device).status_code == 200
    (key,) = passkeys(service)
    honest = cose.cose_key(device.passkeys[0].public_key)
    assert key["public_key"] == cbor2.dumps(honest, canonical=True)


def test_a_key_is_kept_in_its_canonical_form(service: Service, device: SoftAuthenticator) -> None:
    """A13: members out of order and an RSA modulus with leading zeros come out straight."""

    def crooked(honest: dict[int, object]) -> dict[int, object]:
        padded = {**honest, cose.N: b"\0\0" + bytes(honest[cose.N])}  # type: ignore[call-overload]
        return dict(reversed(padded.items()))

    service.register(device, alg=cose.RS256, flaw=Flaw(cose_key=crooked))
    (key,) = passkeys(service)
    honest = cose.cose_key(device.passkeys[0].public_key)
    assert key["public_key"] == cbor2.dumps(honest, canonical=True)
    assert service.try_login(device).status_code == 200
