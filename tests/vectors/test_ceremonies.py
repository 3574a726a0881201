"""Other people's ceremonies over HTTP: accepted, or refused for a reason that is published."""

from __future__ import annotations

import re

import pytest

from tests.support.cases import some_of_each
from tests.vectors.ceremony import hold
from tests.vectors.report import TARGET, report
from tests.vectors.source import vector, vectors
from tests.vectors.verdicts import ACCEPTED, LOOSER, POLICY, REFUSED, WHY, verdict, verdicts

NAMES = [each.name for each in vectors()]
# One for each format of each source.
CERTIFIED = some_of_each(
    [each.name for each in vectors() if "x5c" in each.statement[1]],
    lambda name: [(vector(name).source, str(vector(name).statement[0]))],
)
# Of the specification's own vectors: an algorithm that is offered, and a user who was verified.
W3C = (
    "w3c-packed-self-es256-registration",
    "w3c-none-es256-long-credential-id-authentication",
    "w3c-packed-es256-registration",
    "w3c-packed-es256-authentication",
    "w3c-packed-rs256-registration",
    "w3c-tpm-es256-registration",
    "w3c-tpm-es256-authentication",
    "w3c-android-key-es256-registration",
)
# Shipped, sold and registered with: no test authenticator and no conformance tool.
GENUINE = {
    "Windows Hello, Dell": ("py_webauthn-042", "attestation_expired"),
    "Windows Hello, Lenovo": ("py_webauthn-043", "attestation_expired"),
    "Windows Hello, Surface": ("py_webauthn-044", "attestation_expired"),
    "Windows Hello, elliptic curve": ("py_webauthn-045", None),
    "Windows Hello, names as specified": ("SimpleWebAuthn-009", None),
    "Windows Hello, names in one set": ("SimpleWebAuthn-010", None),
    "Pixel 8a": ("SimpleWebAuthn-001", None),
    "Galaxy S9+": ("SimpleWebAuthn-002", None),
    "Feitian BioPass": ("go-webauthn-007", None),
    "Apple passkey of 2021": ("py_webauthn-033", "attestation_expired"),
    "YubiKey 5": ("SimpleWebAuthn-026", "user_not_verified"),
    "YubiKey, EdDSA": ("py_webauthn-038", "user_not_verified"),
    "YubiKey, U2F": ("py_webauthn-035", "user_not_verified"),
}


@pytest.mark.parametrize("name", NAMES)
def test_the_verdict_is_the_expected_or_a_published_policy_and_the_answer_is_the_usual_one(
    name: str,
) -> None:
    assert verdict(name).kind in (ACCEPTED, REFUSED, POLICY)
    registration = vector(name).is_registration
    accepted, refused = (201, 400) if registration else (200, 401)
    outcome = verdict(name).outcome
    assert outcome.status == (accepted if outcome.accepted else refused)
    assert (outcome.reason is None) == outcome.accepted


def test_no_reason_is_an_exception_that_nobody_foresaw() -> None:
    words = {word for each in verdicts() for word in (*each.reasons, each.outcome.reason) if word}
    assert [
        word for word in words if not re.fullmatch("(member_|length_)[A-Za-z]+|[a-z_]+", word)
    ] == []


@pytest.mark.parametrize("name", W3C)
def test_a_specified_ceremony_that_keeps_the_rules_is_accepted(name: str) -> None:
    assert verdict(name).outcome.accepted


def test_every_other_specified_ceremony_breaks_a_rule_of_its_own() -> None:
    for each in verdicts():
        if each.vector.source == "w3c-webauthn-l3" and each.vector.name not in W3C:
            assert each.kind == POLICY


@pytest.mark.parametrize("device", GENUINE)
def test_a_genuine_authenticator_is_refused_for_nothing_but_its_age_or_its_user(
    device: str,
) -> None:
    name, reason = GENUINE[device]
    found = verdict(vector(name).name)
    assert found.passes_otherwise
    assert found.outcome.accepted or found.reasons[-1] == reason


@pytest.mark.parametrize("name", CERTIFIED)
def test_a_certified_statement_is_dropped_where_none_was_asked_for(name: str) -> None:
    """A14: it can neither help nor harm: only what is wrong with the credential itself counts."""
    outcome = hold(vector(name), "none")
    assert outcome.reason in {None, *verdict(name).reasons}
    # Two vectors have a number and a list in the place of the format.
    assert (outcome.reason == "attestation_format") == (type(vector(name).statement[0]) is not str)


@pytest.mark.parametrize("name", LOOSER)
def test_what_this_service_ignores_would_pass_otherwise(name: str) -> None:
    assert not vector(name).should_pass
    assert verdict(name).passes_otherwise


def test_every_published_rule_refuses_something() -> None:
    used = {reason for each in verdicts() if each.kind == POLICY for reason in each.reasons}
    assert used == WHY.keys()


def test_the_published_table_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == report(), "python -m tests.vectors.report"
