"""Logins without an email: the passkey itself says whose it is."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.authenticator import OMIT, Flaw, SoftAuthenticator
from tests.features.expect import assert_login_refused, event_of
from tests.support.service import JANE, Service


def test_whoever_holds_a_passkey_logs_in_without_an_email(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    options = service.begin_login(None)
    assert options["allowCredentials"] == []
    answer = service.complete_login(None, device.get(options))
    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == jane["id"]
    event = event_of(service, answer)
    assert (event["user_id"], event["user_email"]) == (jane["id"], JANE["email"])


@pytest.mark.parametrize("body", [{}, {"email": None}], ids=["no email", "email null"])
def test_a_usernameless_begin_is_on_record_without_an_actor(
    service: Service, body: dict[str, Any]
) -> None:
    event = event_of(service, service.post("/login/begin", body))
    assert (event["event_type"], event["success"]) == ("login_begin", 1)
    assert (event["user_email"], event["user_id"]) == (None, None)
    assert event["details"] == "Usernameless login begun"


def test_the_email_may_be_named_at_the_end_if_it_is_the_owners(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    assertion = device.get(service.begin_login(None))
    assert service.complete_login(JANE["email"], assertion).status_code == 200


@pytest.mark.parametrize("handle", [OMIT, None, ""], ids=["left out", "null", "empty"])
def test_a_usernameless_login_needs_the_user_handle(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], handle: object
) -> None:
    """A4: without it nothing but the credential id would say who this is."""
    answer = service.try_login(device, None, flaw=Flaw(response={"userHandle": handle}))
    assert_login_refused(service, answer, "user_handle_missing")


@pytest.mark.parametrize("email", [None, JANE["email"]], ids=["usernameless", "by email"])
def test_a_login_with_anothers_user_handle_is_refused(
    service: Service,
    device: SoftAuthenticator,
    jane: dict[str, Any],
    bob: dict[str, Any],
    email: str | None,
) -> None:
    """A4: the signature does not cover the user handle, so it must be compared."""
    flaw = Flaw(user_handle=bob["id"].encode())
    event = assert_login_refused(
        service, service.try_login(device, email, flaw=flaw), "user_handle"
    )
    assert event["user_id"] == jane["id"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda handle: b"{" + handle + b"}", id="in braces"),
        pytest.param(lambda handle: b"urn:uuid:" + handle, id="as a URN"),
        pytest.param(lambda handle: handle + b" ", id="with a space"),
        pytest.param(lambda handle: handle[:-1], id="cut short"),
        pytest.param(lambda handle: bytes.fromhex(handle.replace(b"-", b"").decode()), id="raw"),
    ],
)
def test_a_user_handle_that_is_nearly_right_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], change: Any
) -> None:
    """A4: byte for byte, or not at all: no other spelling of the same UUID."""
    handle = change(jane["id"].encode())
    answer = service.try_login(device, None, flaw=Flaw(user_handle=handle))
    assert_login_refused(service, answer, "user_handle")


@pytest.mark.parametrize("handle", [OMIT, None, ""], ids=["left out", "null", "empty"])
def test_a_login_by_email_needs_no_user_handle(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], handle: object
) -> None:
    # WebAuthn L3 §7.2 step 6: the email has identified the user before the ceremony.
    answer = service.try_login(device, flaw=Flaw(response={"userHandle": handle}))
    assert answer.status_code == 200
