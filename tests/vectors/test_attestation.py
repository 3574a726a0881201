"""`ATTESTATION=direct`: whose word is taken, and what a certificate must look like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from devtools.attestation import AttestationMaker, none, packed_self, packed_x5c, statement
from devtools.authenticator import Flaw, SoftAuthenticator
from tests.conftest import StartService
from tests.support.clock import HeldClock
from tests.support.service import JANE, Service
from tests.vectors.source import pem_bundle
from tests.vectors.vendor import SOUND, Vendor, aaguid, basic, renamed, without

MODEL = bytes(range(16))
YEAR = 365 * 24 * 3600
C, O, OU, CN = (  # noqa: E741
    NameOID.COUNTRY_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.COMMON_NAME,
)
END = basic(ca=False)
# WebAuthn L3 §8.2.1, requirement by requirement.
MISSHAPEN: dict[str, dict[str, Any]] = {
    "no country": {"subject": without(C)},
    "a country in lower case": {"subject": renamed(C, "se")},
    "no organization": {"subject": without(O)},
    "a blank organization": {"subject": renamed(O, " ")},
    "no unit": {"subject": without(OU)},
    "another unit": {"subject": renamed(OU, "Attestation")},
    "two units": {"subject": [*SOUND, (OU, "Sales")]},
    "no common name": {"subject": without(CN)},
    "no subject": {"subject": []},
    "a CA": {"extensions": [basic(ca=True)]},
    "no basic constraints": {"extensions": []},
    "a critical AAGUID": {"extensions": [END, aaguid(MODEL, critical=True)]},
}


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def direct(
    start_service: StartService, vendor: Vendor, tmp_path: Path, clock: HeldClock
) -> Service:
    """A service that trusts the vendor, and nobody else."""
    roots = tmp_path / "roots"
    roots.mkdir()
    (roots / "vendor.pem").write_bytes(pem_bundle([vendor.root]))
    return start_service(clock=clock, attestation="direct", attestation_roots=roots)


@pytest.fixture
def key() -> SoftAuthenticator:
    return SoftAuthenticator(aaguid=MODEL)


def register(service: Service, key: SoftAuthenticator, made: AttestationMaker) -> str | None:
    """The reason for which it was refused, if it was."""
    options = service.begin_registration()
    answer = service.complete_registration(
        JANE["email"], key.create(options, flaw=Flaw(attestation=made))
    )
    reason: str | None = service.last_audit("registration_complete")["reason"]
    assert answer.status_code == (400 if reason else 201)
    return reason


def test_the_browser_is_asked_for_the_attestation_of_the_setting(
    direct: Service, start_service: StartService
) -> None:
    assert direct.begin_registration()["attestation"] == "direct"
    assert start_service().begin_registration()["attestation"] == "none"


def test_an_authenticator_of_a_trusted_vendor_registers_and_logs_in(
    direct: Service, key: SoftAuthenticator, vendor: Vendor
) -> None:
    assert register(direct, key, vendor.attest()) is None
    assert direct.login(key)


@pytest.mark.parametrize("below", [1, 2])
def test_the_vendor_may_put_authorities_in_between(
    direct: Service, key: SoftAuthenticator, vendor: Vendor, below: int
) -> None:
    for _ in range(below):
        vendor = vendor.intermediate()
    assert register(direct, key, vendor.attest()) is None


def test_nobody_is_trusted_for_having_been_certified_by_the_vendor(
    direct: Service, key: SoftAuthenticator, vendor: Vendor
) -> None:
    impostor = vendor.intermediate(ca=False)
    assert register(direct, key, impostor.attest()) == "attestation_untrusted"


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        pytest.param(none, "attestation_missing", id="none at all"),
        pytest.param(packed_self(), "attestation_self", id="the key's own"),
        pytest.param(packed_self(signature=b"junk"), "signature", id="not even the key's own"),
        pytest.param(Vendor().attest(), "attestation_untrusted", id="a stranger's"),
        pytest.param(packed_x5c(), "attestation_certificate", id="no certificate"),
        pytest.param(packed_x5c(b"junk"), "attestation_certificate", id="junk"),
        pytest.param(packed_x5c(*[b""] * 11), "attestation_certificate", id="eleven"),
        pytest.param(packed_x5c("text"), "attestation_statement", id="text"),
        pytest.param(statement("tpm", {}), "attestation_format", id="members missing"),
        pytest.param(statement("apple", {"x5c": 7}), "attestation_statement", id="a number"),
        pytest.param(
            statement("android-safetynet", {"ver": "1", "response": b""}),
            "attestation_format",
            id="SafetyNet",
        ),
    ],
)
def test_any_other_word_is_not_taken(
    direct: Service, key: SoftAuthenticator, made: AttestationMaker, reason: str
) -> None:
    assert register(direct, key, made) == reason


def test_a_certificate_does_not_vouch_for_what_it_has_not_signed(
    direct: Service, key: SoftAuthenticator, vendor: Vendor
) -> None:
    certified = vendor.attest()

    def borrowed(subject: Any) -> tuple[Any, Any]:
        fmt, made = certified(subject)
        return fmt, {**made, "sig": packed_self()(subject)[1]["sig"]}

    assert register(direct, key, borrowed) == "signature"


@pytest.mark.parametrize("shape", MISSHAPEN)
def test_a_misshapen_certificate_is_refused(
    direct: Service, key: SoftAuthenticator, vendor: Vendor, shape: str
) -> None:
    reason = register(direct, key, vendor.attest(**MISSHAPEN[shape]))
    assert reason == "attestation_certificate"


def test_the_certificate_may_name_the_model_and_it_must_be_this_one(
    direct: Service, key: SoftAuthenticator, vendor: Vendor
) -> None:
    another = vendor.attest(extensions=[END, aaguid(MODEL[::-1])])
    assert register(direct, key, another) == "attestation_aaguid"
    assert register(direct, key, vendor.attest(extensions=[END, aaguid(MODEL)])) is None


@pytest.mark.parametrize("years", [-2, 2])
def test_a_certificate_counts_only_while_it_is_valid(
    direct: Service, key: SoftAuthenticator, vendor: Vendor, clock: HeldClock, years: int
) -> None:
    clock.set_wall(years * YEAR)
    assert register(direct, key, vendor.attest()) == "attestation_expired"


@pytest.mark.parametrize("years", [-11, 11])
def test_a_root_counts_only_while_it_is_valid(
    direct: Service, key: SoftAuthenticator, vendor: Vendor, clock: HeldClock, years: int
) -> None:
    clock.set_wall(years * YEAR)
    long_lived = vendor.attest(days=20 * 365)
    assert register(direct, key, long_lived) == "attestation_expired"


def test_an_unknown_critical_extension_is_not_overlooked(
    direct: Service, key: SoftAuthenticator, vendor: Vendor
) -> None:
    """RFC 5280 §4.2."""
    strange = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True
    reason = register(direct, key, vendor.attest(extensions=[END, strange]))
    assert reason == "attestation_untrusted"
