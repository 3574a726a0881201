"""Attestation: none was asked for, so a statement is dropped unread and the passkey is kept."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest

from devtools.authenticator import (
    Flaw,
    SoftAuthenticator,
    packed_self,
    packed_x5c,
    statement,
)
from devtools.cose import EDDSA, ES256, RS256
from tests.features.expect import (
    assert_nothing_stored,
    assert_registration_refused,
)
from tests.support.service import JANE, Service

# Nobody but an attacker sends these: no client makes such an object.
NOT_GENUINE = {
    "none with a signature": statement("none", {"sig": b"sig"}),
    "none with an unknown member": statement("none", {"a": 1}),
    "none with null": statement("none", None),
    "none with a list": statement("none", []),
    "none with text": statement("none", ""),
    "no format": statement(None, {}),
    "a format that is a number": statement(1, {}),
    "an empty format": statement("", {}),
    "a format of 33 characters": statement("f" * 33, {}),
    "a format with a quotation mark": statement('pack"ed', {}),
    "a format with a line feed": statement("packed\n", {}),
    "a format in another script": statement("p\u0430cked", {}),
    "packed with null": statement("packed", None),
    "packed with text": statement("packed", "alg"),
    "packed with bytes": statement("packed", b"alg"),
    "packed with a number": statement("packed", 7),
}
# Firefox on Windows and some password managers send a statement that nobody asked for. Which
# formats there will be is unknown, and what they hold is not read.
UNASKED = {
    "a true self attestation": packed_self(),
    "a self attestation with junk for a signature": packed_self(signature=b"junk"),
    "a self attestation with a number for a signature": packed_self(signature=7),
    "a self attestation under another algorithm": packed_self(alg=RS256),
    "a self attestation with SHA-1": packed_self(alg=-65535),
    "None in capitals": statement("None", {}),
    "an unknown format": statement("trust-me", {}),
    "a format of 32 characters": statement("f" * 32, {}),
    "compound": statement("compound", [{"fmt": "packed", "attStmt": {"x5c": [b"junk"]}}] * 2),
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


def attempt(service: Service, device: SoftAuthenticator, flaw: Flaw) -> Any:
    credential = device.create(service.begin_registration(), flaw=flaw)
    return service.complete_registration(JANE["email"], credential)


@pytest.mark.parametrize("name", NOT_GENUINE)
def test_an_attestation_that_no_client_makes_is_refused(
    service: Service, device: SoftAuthenticator, name: str
) -> None:
    """A14, A15: `none` has no statement, and a format is a short word."""
    answer = attempt(service, device, Flaw(attestation=NOT_GENUINE[name]))
    assert_registration_refused(service, answer, "attestation_format")
    assert_nothing_stored(service)


@pytest.mark.parametrize("name", UNASKED)
def test_an_attestation_that_was_not_asked_for_is_dropped_unread(
    service: Service,
    device: SoftAuthenticator,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """A14, A15: a parser that is never called cannot be attacked, and the passkey is kept."""
    decoded: list[bytes] = []
    loads = cbor2.loads

    def noted(data: bytes, **how: Any) -> Any:
        decoded.append(data)
        return loads(data, **how)

    credential = device.create(service.begin_registration(), flaw=Flaw(attestation=UNASKED[name]))
    monkeypatch.setattr(cbor2, "loads", noted)
    assert service.complete_registration(JANE["email"], credential).status_code == 201
    assert decoded
    assert not any(junk in data for data in decoded for junk in (b"junk", b"sig", b"x5c"))
    assert service.try_login(device).status_code == 200


def test_text_of_a_dropped_statement_is_not_decoded(
    service: Service, device: SoftAuthenticator
) -> None:
    """A14: not even whether it is UTF-8 is looked at."""
    flaw = Flaw(
        attestation=packed_self(),
        attestation_object=lambda honest: honest.replace(b"calg", b"c\xff\xff\xff"),
    )
    assert attempt(service, device, flaw).status_code == 201


@pytest.mark.parametrize("count", [64, 65])
def test_the_cbor_of_a_dropped_statement_is_bounded(
    service: Service, device: SoftAuthenticator, count: int
) -> None:
    """A16: dropped unread, and all the same never walked over without a bound."""
    att_stmt = {str(number): number for number in range(count)}
    answer = attempt(service, device, Flaw(attestation=statement("packed", att_stmt)))
    if count == 64:
        assert answer.status_code == 201
    else:
        assert_registration_refused(service, answer, "attestation_malformed")


def test_a_dropped_statement_has_no_tags(service: Service, device: SoftAuthenticator) -> None:
    """A16: tags are refused, even where nobody would decode them."""
    flaw = Flaw(attestation=statement("packed", {"sig": cbor2.CBORTag(2, b"junk")}))
    assert_registration_refused(service, attempt(service, device, flaw), "attestation_malformed")


@pytest.mark.parametrize("alg", [ES256, EDDSA, RS256], ids=["ES256", "EdDSA", "RS256"])
def test_a_true_self_attestation_is_taken(
    service: Service, device: SoftAuthenticator, alg: int
) -> None:
    service.register(device, alg=alg, flaw=Flaw(attestation=packed_self()))
    assert service.try_login(device).status_code == 200
