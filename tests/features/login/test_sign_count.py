"""The sign count grows with every use, but for passkeys that never count."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.authenticator import Flaw, SoftAuthenticator
from tests.features.expect import assert_login_refused, passkeys
from tests.support.service import JANE, Service

HIGHEST = 2**32 - 1


def stored_count(service: Service) -> int:
    (key,) = passkeys(service)
    count: int = key["sign_count"]
    return count


def login_counting(service: Service, device: SoftAuthenticator, count: int) -> Any:
    return service.try_login(device, flaw=Flaw(sign_count=count))


@pytest.mark.parametrize("count", [5, 4, 1, 0])
def test_a_sign_count_that_does_not_grow_is_refused_as_a_possible_clone(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], count: int
) -> None:
    """A10: equal, lower, or back to zero; the stored count stays."""
    assert login_counting(service, device, 5).status_code == 200
    event = assert_login_refused(service, login_counting(service, device, count), "possible_clone")
    assert "possible clone" in event["details"]
    assert (event["user_id"], event["user_email"]) == (jane["id"], JANE["email"])
    assert stored_count(service) == 5
    assert login_counting(service, device, 6).status_code == 200


def test_the_count_of_the_registration_counts(service: Service, device: SoftAuthenticator) -> None:
    """A10: the first login must lie beyond it already."""
    service.register(device, flaw=Flaw(sign_count=9))
    assert stored_count(service) == 9
    for count in (9, 8, 0):
        answer = login_counting(service, device, count)
        assert_login_refused(service, answer, "possible_clone")
    assert login_counting(service, device, 10).status_code == 200


def test_the_highest_count_is_taken_and_the_last(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A10: an unsigned 32-bit number fits, and nothing comes after it."""
    assert login_counting(service, device, HIGHEST).status_code == 200
    assert stored_count(service) == HIGHEST
    for count in (HIGHEST, HIGHEST - 1, 1, 0):
        answer = login_counting(service, device, count)
        assert_login_refused(service, answer, "possible_clone")
    assert stored_count(service) == HIGHEST


def test_the_highest_count_may_be_registered(service: Service, device: SoftAuthenticator) -> None:
    """A10: and leaves no room for a login."""
    service.register(device, flaw=Flaw(sign_count=HIGHEST))
    assert_login_refused(service, login_counting(service, device, HIGHEST), "possible_clone")


def test_a_passkey_that_never_counts_logs_in_again_and_again(service: Service) -> None:
    """A10: 0 after 0 is no regression; synced passkeys have no counter."""
    device = SoftAuthenticator(counter=False)
    service.register(device)
    for _ in range(3):
        assert service.try_login(device).status_code == 200
    assert stored_count(service) == 0


def test_a_passkey_that_begins_to_count_cannot_stop(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A10: 0, 0, 1, and then never 0 again."""
    for count in (0, 0, 1):
        assert login_counting(service, device, count).status_code == 200
    assert_login_refused(service, login_counting(service, device, 0), "possible_clone")


def test_a_count_may_skip(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    # One counter may serve many passkeys (WebAuthn L3 §6.1.1).
    for count in (2, 3, 1000):
        assert login_counting(service, device, count).status_code == 200
        assert stored_count(service) == count


def test_a_forged_signature_is_not_taken_for_a_clone(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A10: a stranger must not be able to raise that alarm."""
    assert login_counting(service, device, 5).status_code == 200
    flaw = Flaw(sign_count=1, flip_signature_bit=True)
    assert_login_refused(service, service.try_login(device, flaw=flaw), "signature")
