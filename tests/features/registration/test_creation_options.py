"""What `/register/begin` answers: creation options, and nothing but a challenge is kept."""

from __future__ import annotations

import uuid

import pytest

from devtools.authenticator import SoftAuthenticator
from devtools.encoding import b64url, from_b64url
from tests.conftest import StartService
from tests.features.expect import assert_nothing_stored, event_of, public
from tests.support.clock import HeldClock
from tests.support.service import JANE, Service, person

SECRET = "a secret of more than thirty-two bytes"


def test_creation_options_are_complete_and_exact(service: Service) -> None:
    answer = service.post("/register/begin", JANE)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    (options,) = answer.json().values()
    assert answer.json() == {"publicKey": options}
    assert options == {
        "rp": {"id": "localhost", "name": "Auth Example"},
        "user": {
            "id": options["user"]["id"],
            "name": "jane@example.com",
            "displayName": "Jane Doe",
        },
        "challenge": options["challenge"],
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in (-7, -8, -257)],
        "timeout": 60000,
        "excludeCredentials": [],
        "authenticatorSelection": {
            "authenticatorAttachment": "platform",
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "hints": ["client-device"],
        "attestation": "none",
        "extensions": {"credProps": True},
    }


def test_any_authenticator_may_register_if_the_setting_says_so(start_service: StartService) -> None:
    """No attachment and no hint: the browser offers this device, security keys and phones."""
    options = start_service(authenticator_attachment="any").begin_registration()
    assert options["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert options["hints"] == []


def test_challenges_are_random_and_long(service: Service) -> None:
    challenges = [service.begin_registration()["challenge"] for _ in range(10)]
    challenges += [service.begin_login(email)["challenge"] for email in (None, JANE["email"]) * 5]
    assert len({from_b64url(challenge)[:8] for challenge in challenges}) == 20
    assert {len(from_b64url(challenge)) for challenge in challenges} == {32}


def test_the_user_handle_is_the_uuid_of_the_account_to_be(
    service: Service, device: SoftAuthenticator
) -> None:
    options = service.begin_registration()
    handle = from_b64url(options["user"]["id"]).decode()
    assert uuid.UUID(handle).version == 4
    assert str(uuid.UUID(handle)) == handle
    answer = service.complete_registration(JANE["email"], device.create(options))
    assert answer.json()["id"] == handle
    assert b64url(answer.json()["id"].encode()) == options["user"]["id"]


def test_every_begin_is_for_an_account_of_its_own(service: Service) -> None:
    handles = {service.begin_registration()["user"]["id"] for _ in range(5)}
    assert len(handles) == 5


def test_the_relying_party_is_the_one_that_was_set(start_service: StartService) -> None:
    service = start_service(
        rp_id="example.com",
        rp_name="Example & Söhne",
        origin="https://login.example.com",
        jwt_secret=SECRET,
    )
    options = service.begin_registration()
    assert options["rp"] == {"id": "example.com", "name": "Example & Söhne"}
    assert service.begin_login()["rpId"] == "example.com"


def test_names_are_shown_as_they_were_given(service: Service) -> None:
    form = person("zoe", first_name="  Zoë ", last_name="O'Neill-名前")
    user = service.begin_registration(form)["user"]
    assert (user["name"], user["displayName"]) == ("zoe@example.com", "Zoë O'Neill-名前")


def test_a_begin_is_on_record_and_writes_no_account(service: Service, clock: HeldClock) -> None:
    answer = service.post("/register/begin", JANE, headers={"User-Agent": "a browser"})
    event = event_of(service, answer)
    assert (event["event_type"], event["success"], event["reason"]) == (
        "registration_begin",
        1,
        None,
    )
    assert (event["user_email"], event["user_id"]) == (JANE["email"], None)
    assert event["user_agent"] == "a browser"
    assert event["details"] == "Registration begun for jane@example.com"
    assert event["created_at"] == clock.now().strftime("%Y-%m-%d %H:%M:%S.%f")
    assert_nothing_stored(service)


@pytest.mark.parametrize("email", ["jane@example.com", "JANE@EXAMPLE.COM", "Jane@Example.com"])
def test_an_email_that_is_registered_is_refused_at_begin(
    service: Service, device: SoftAuthenticator, email: str
) -> None:
    service.register(device)
    answer = service.post("/register/begin", {**JANE, "email": email})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    # Neutral: the sentence says what cannot be done, and not why.
    assert public(answer) == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "This email cannot be registered",
        "code": "registration_not_possible",
    }
    event = event_of(service, answer)
    assert (event["event_type"], event["success"]) == ("registration_begin", 0)
    assert (event["reason"], event["user_email"]) == ("email_taken", JANE["email"])


def test_a_begin_alone_reserves_no_email(service: Service, device: SoftAuthenticator) -> None:
    service.begin_registration()
    service.begin_registration()
    service.register(device)
