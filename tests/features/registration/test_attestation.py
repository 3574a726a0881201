"""Attestation: none was asked for, so nobody may vouch for a passkey but its own key."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.authenticator import (
    Flaw,
    SoftAuthenticator,
    packed_self,
    packed_x5c,
    statement,
)
from devtools.cose import EDDSA, ES256, RS256, generate_private_key
from tests.features.expect import (
    assert_nothing_stored,
    assert_registration_refused,
)
from tests.support.service import JANE, Service

NOT_NONE = {
    "none with a signature": statement("none", {"sig": b"sig"}),
    "none with an unknown member": statement("none", {"a": 1}),
    "none with null": statement("none", None),
    "none with a list": statement("none", []),
    "none with text": statement("none", ""),
    "None in capitals": statement("None", {}),
    "no format": statement(None, {}),
    "a format that is a number": statement(1, {}),
    "an unknown format": statement("trust-me", {}),
    "packed with nothing": statement("packed", {}),
    "packed with an unknown member": statement("packed", {"alg": -7, "sig": b"", "ver": "2.0"}),
    "packed with a list": statement("packed", ["alg", "sig"]),
    "packed with a certificate": packed_x5c(b"junk"),
    "packed with no certificate": packed_x5c(),
    "fido-u2f": statement("fido-u2f", {"sig": b"sig", "x5c": [b"junk"]}),
    "android-safetynet": statement("android-safetynet", {"ver": "1", "response": b"junk"}),
    "android-key": statement("android-key", {"alg": -7, "sig": b"sig", "x5c": [b"junk"]}),
    "apple": statement("apple", {"x5c": [b"junk"]}),
    "tpm": statement(
        "tpm",
        {"ver": "2.0", "alg": -7, "sig": b"", "x5c": [b""], "certInfo": b"", "pubArea": b""},
    ),
}
UNTRUE = [
    pytest.param(packed_self(signature=b"junk"), id="junk for a signature"),
    pytest.param(packed_self(signature=b""), id="an empty signature"),
    pytest.param(packed_self(signature="text"), id="text for a signature"),
    pytest.param(packed_self(signature=7), id="a number for a signature"),
    pytest.param(packed_self(alg=RS256), id="another algorithm"),
    pytest.param(packed_self(alg="ES256"), id="an algorithm in text"),
    pytest.param(packed_self(alg=0), id="no algorithm"),
]


def attempt(service: Service, device: SoftAuthenticator, flaw: Flaw) -> Any:
    credential = device.create(service.begin_registration(), flaw=flaw)
    return service.complete_registration(JANE["email"], credential)


@pytest.mark.parametrize("name", NOT_NONE)
def test_any_other_attestation_is_refused(
    service: Service, device: SoftAuthenticator, name: str
) -> None:
    """A14, A15: a parser that is never called cannot be attacked."""
    answer = attempt(service, device, Flaw(attestation=NOT_NONE[name]))
    assert_registration_refused(service, answer, "attestation_format")
    assert_nothing_stored(service)


@pytest.mark.parametrize("attestation", UNTRUE)
def test_a_self_attestation_must_be_true(
    service: Service, device: SoftAuthenticator, attestation: Any
) -> None:
    """A14, A15: it is not needed, but a false one is no passkey of ours."""
    answer = attempt(service, device, Flaw(attestation=attestation))
    assert_registration_refused(service, answer, "signature", "algorithm", "unexpected_TypeError")
    assert_nothing_stored(service)


def test_a_self_attestation_by_another_key_is_refused(
    service: Service, device: SoftAuthenticator
) -> None:
    """A14: the key that is attested must have signed."""
    flaw = Flaw(attestation=packed_self(), signing_key=generate_private_key(ES256))
    assert_registration_refused(service, attempt(service, device, flaw), "signature")


@pytest.mark.parametrize("alg", [ES256, EDDSA, RS256], ids=["ES256", "EdDSA", "RS256"])
def test_a_true_self_attestation_is_taken(
    service: Service, device: SoftAuthenticator, alg: int
) -> None:
    service.register(device, alg=alg, flaw=Flaw(attestation=packed_self()))
    assert service.try_login(device).status_code == 200
