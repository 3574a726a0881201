"""A challenge is a text: others that decode to the same bytes are not it."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.authenticator import Flaw, SoftAuthenticator
from devtools.hostile_text import same_bytes_other_text
from tests.features.expect import (
    assert_login_refused,
    assert_nothing_stored,
    assert_registration_refused,
)
from tests.support.service import JANE, Service

SPELLINGS = sorted(same_bytes_other_text("A" * 43))


def standard_base64(text: str) -> str:
    return text.replace("-", "+").replace("_", "/")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_login_with_the_challenge_spelled_otherwise_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], spelling: str
) -> None:
    """A7: python's decoder would not see the difference."""
    options = service.begin_login()
    text = same_bytes_other_text(options["challenge"])[spelling]
    answer = service.complete_login(JANE["email"], device.get(options, flaw=Flaw(challenge=text)))
    assert_login_refused(service, answer, "no_ceremony")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_registration_with_the_challenge_spelled_otherwise_is_refused(
    service: Service, device: SoftAuthenticator, spelling: str
) -> None:
    """A7: python's decoder would not see the difference."""
    options = service.begin_registration()
    text = same_bytes_other_text(options["challenge"])[spelling]
    credential = device.create(options, flaw=Flaw(challenge=text))
    answer = service.complete_registration(JANE["email"], credential)
    assert_registration_refused(service, answer, "no_ceremony")
    assert_nothing_stored(service)


def test_a_challenge_in_standard_base64_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A7: only a challenge with one of the two letters that differ can tell."""
    options = service.begin_login()
    while standard_base64(options["challenge"]) == options["challenge"]:
        options = service.begin_login()
    flaw = Flaw(challenge=standard_base64(options["challenge"]))
    answer = service.complete_login(JANE["email"], device.get(options, flaw=flaw))
    assert_login_refused(service, answer, "no_ceremony")


@pytest.mark.parametrize("text", ["", "A", "A" * 43, "é", "A" * 3000], ids=lambda text: text[:4])
def test_a_challenge_that_was_never_issued_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], text: str
) -> None:
    """A7: whatever it looks like."""
    answer = service.try_login(device, flaw=Flaw(challenge=text))
    assert_login_refused(service, answer, "no_ceremony")
