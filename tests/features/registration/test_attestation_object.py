"""Attestation objects and authenticator data: whole, of the right shape, and nothing behind."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.authenticator import Flaw, SoftAuthenticator, with_raw_statement
from tests.features.expect import (
    assert_login_refused,
    assert_nothing_stored,
    assert_registration_refused,
)
from tests.support.service import JANE, Service

TRAILING = [
    pytest.param(Flaw(trailing_attestation_object=b"\0"), id="one byte"),
    pytest.param(Flaw(trailing_attestation_object=b"\xa0"), id="another map"),
    pytest.param(Flaw(trailing_authenticator_data=b"\0"), id="in the authenticator data"),
    pytest.param(Flaw(trailing_authenticator_data=bytes(500)), id="many of them"),
    pytest.param(Flaw(extensions={"a": 1}, ed=False), id="extensions without their flag"),
    pytest.param(Flaw(extensions={"a": 1}, trailing_authenticator_data=b"\0"), id="extensions"),
]


def attempt(service: Service, device: SoftAuthenticator, flaw: Flaw) -> Any:
    credential = device.create(service.begin_registration(), flaw=flaw)
    return service.complete_registration(JANE["email"], credential)


@pytest.mark.parametrize("flaw", TRAILING)
def test_bytes_that_trail_are_refused(
    service: Service, device: SoftAuthenticator, flaw: Flaw
) -> None:
    """A14: what no one reads, no one should have to keep."""
    answer = attempt(service, device, flaw)
    assert_registration_refused(
        service, answer, "attestation_malformed", "authenticator_data_malformed"
    )
    assert_nothing_stored(service)


@pytest.mark.parametrize(
    "flaw",
    [
        pytest.param(Flaw(trailing_authenticator_data=b"\0"), id="one byte"),
        pytest.param(Flaw(trailing_authenticator_data=bytes(500)), id="many of them"),
        pytest.param(Flaw(extensions={"a": 1}, ed=False), id="extensions without their flag"),
        pytest.param(Flaw(ed=True), id="a flag without extensions"),
        pytest.param(Flaw(at=True), id="a flag without a passkey"),
    ],
)
def test_bytes_that_trail_or_miss_in_a_login_are_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], flaw: Flaw
) -> None:
    """A14: the signature covers them and is good."""
    answer = service.try_login(device, flaw=flaw)
    assert_login_refused(service, answer, "authenticator_data_malformed")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff", id="no CBOR"),
        pytest.param(b"\xa0", id="an empty map"),
        pytest.param(b"\x80", id="a list"),
        pytest.param(b"\xf6", id="null"),
        pytest.param(b"\xbf\xff", id="an endless map"),
        pytest.param(b"\xa1cfmtdnone", id="a format alone"),
        pytest.param(b"\xa3" + b"cfmtdnone" * 2 + b"gattStmt\xa0", id="a member twice"),
        pytest.param(b"\xa3cfmtdnonegattStmt\xa0hauthData\xa0", id="data that are a map"),
        pytest.param(b"\xa3cfmtdnonegattStmt\xa0hauthData\x41\0", id="data of one byte"),
        pytest.param(b"\x81" * 5000, id="lists in lists"),
        pytest.param(b"\x9b" + b"\x10" * 8, id="a list that claims to be huge"),
    ],
)
def test_an_attestation_object_that_is_none_is_refused(
    service: Service, device: SoftAuthenticator, raw: bytes
) -> None:
    """A14, A15: refused by its shape, before the library sees it."""
    answer = attempt(service, device, Flaw(attestation_object=raw))
    assert_registration_refused(
        service,
        answer,
        "attestation_malformed",
        "attested_data_missing",
        "length_attestationObject",
    )


@pytest.mark.parametrize(
    "member", [b"cfmtdnone", b"cfmtfpacked", b"gattStmt\xa0", b"hauthData\x40"], ids=repr
)
def test_an_attestation_object_has_no_member_twice(
    service: Service, device: SoftAuthenticator, member: bytes
) -> None:
    """A14: two readers might disagree on which of them counts."""

    def with_a_member_twice(honest: bytes) -> bytes:
        return bytes([honest[0] + 1]) + member + honest[1:]

    answer = attempt(service, device, Flaw(attestation_object=with_a_member_twice))
    assert_registration_refused(service, answer, "attestation_malformed")
    assert_nothing_stored(service)


def test_an_attestation_object_has_no_further_members(
    service: Service, device: SoftAuthenticator
) -> None:
    """A14: `epAtt` and the like belong to attestations that were not asked for."""

    def with_another_member(honest: bytes) -> bytes:
        return bytes([honest[0] + 1]) + honest[1:] + b"eepAtt\xf5"

    answer = attempt(service, device, Flaw(attestation_object=with_another_member))
    assert_registration_refused(service, answer, "attestation_malformed")


def test_a_statement_of_an_endless_map_is_refused(
    service: Service, device: SoftAuthenticator
) -> None:
    """A14: it decodes to the honest empty one, and is spelled otherwise."""
    flaw = Flaw(attestation_object=with_raw_statement(b"\xbf\xff"))
    assert_registration_refused(service, attempt(service, device, flaw), "attestation_malformed")


@pytest.mark.parametrize(
    "flaw",
    [
        pytest.param(Flaw(at=False), id="no flag"),
        pytest.param(Flaw(authenticator_data=b"short"), id="too short"),
        pytest.param(Flaw(authenticator_data=lambda honest: honest[:37]), id="cut off"),
        pytest.param(Flaw(authenticator_data=lambda honest: honest[:55]), id="no credential id"),
    ],
)
def test_a_registration_without_a_passkey_in_it_is_refused(
    service: Service, device: SoftAuthenticator, flaw: Flaw
) -> None:
    """A14, A15: attested credential data must be there, and whole."""
    answer = attempt(service, device, flaw)
    assert_registration_refused(service, answer, "attested_data_missing")
    assert_nothing_stored(service)
