"""A registration that succeeds: one account and one passkey, written together at the end."""

from __future__ import annotations

import uuid
from typing import Any

import cbor2
import pytest

from devtools import cose
from devtools.authenticator import AAGUID, Flaw, SoftAuthenticator
from tests.features.expect import (
    assert_nothing_stored,
    assert_registration_refused,
    event_of,
    passkeys,
    users,
)
from tests.support.clock import HeldClock
from tests.support.service import JANE, Service


def text(moment: Any) -> str:
    """A moment as SQLite shows it."""
    return str(moment.strftime("%Y-%m-%d %H:%M:%S.%f"))


def test_the_account_exists_from_the_complete_on_and_not_before(
    service: Service, device: SoftAuthenticator
) -> None:
    options = service.begin_registration()
    credential = device.create(options)
    assert_nothing_stored(service)
    assert service.complete_registration(JANE["email"], credential).status_code == 201
    assert (len(users(service)), len(passkeys(service))) == (1, 1)


def test_the_answer_is_the_user_object(
    service: Service, clock: HeldClock, device: SoftAuthenticator
) -> None:
    credential = device.create(service.begin_registration())
    answer = service.complete_registration(JANE["email"], credential)
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    user = answer.json()
    assert uuid.UUID(user["id"]).version == 4
    assert user == {
        "id": user["id"],
        "first_name": "Jane",
        "last_name": "Doe",
        "email": "jane@example.com",
        "email_typed": "jane@example.com",
        "role": "user",
        "date_of_birth": "1990-01-15T00:00:00Z",
        "job_title": "Engineer",
        "created_at": clock.now().replace(tzinfo=None).isoformat() + "Z",
    }


def test_the_account_is_stored_as_it_was_begun(
    service: Service, clock: HeldClock, device: SoftAuthenticator
) -> None:
    form = {**JANE, "email": "Jane.Doe@Example.com"}
    user = service.register(device, form)
    assert users(service) == [
        {
            "id": user["id"],
            "first_name": "Jane",
            "last_name": "Doe",
            "email": "jane.doe@example.com",
            "email_typed": "Jane.Doe@Example.com",
            "date_of_birth": "1990-01-15 00:00:00.000000",
            "job_title": "Engineer",
            "role": "user",
            "disabled": 0,
            "created_at": text(clock.now()),
        }
    ]


def test_the_passkey_is_stored_with_all_that_a_login_needs(
    service: Service, clock: HeldClock, device: SoftAuthenticator
) -> None:
    user = service.register(device, flaw=Flaw(sign_count=3))
    (row,) = passkeys(service)
    passkey = device.passkeys[0]
    assert uuid.UUID(row.pop("id")).version == 4
    assert cose.cose_key(passkey.public_key) == cbor2.loads(row.pop("public_key"))
    assert row == {
        "user_id": user["id"],
        "credential_id": passkey.credential_id,
        "sign_count": 3,
        "transports": "internal",
        "aaguid": str(uuid.UUID(bytes=AAGUID)),
        "backup_eligible": 0,
        "backed_up": 0,
        "user_verified": 1,
        "name": None,
        "created_at": text(clock.now()),
        "last_used_at": None,
    }


def test_a_registration_is_on_record(service: Service, device: SoftAuthenticator) -> None:
    credential = device.create(service.begin_registration())
    answer = service.complete_registration(JANE["email"], credential)
    event = event_of(service, answer)
    assert (event["event_type"], event["success"], event["reason"]) == (
        "registration_complete",
        1,
        None,
    )
    assert (event["user_id"], event["user_email"]) == (answer.json()["id"], JANE["email"])
    assert event["details"].startswith("User Jane Doe registered with a passkey")


@pytest.mark.parametrize("email", ["jane@example.com", "JANE@EXAMPLE.COM", "Jane@Example.Com"])
def test_an_email_is_registered_once_however_it_is_spelled(
    service: Service, device: SoftAuthenticator, email: str
) -> None:
    # Begun before the other is finished, so that only the end can tell.
    options = service.begin_registration({**JANE, "email": email})
    jane = service.register(device)
    credential = SoftAuthenticator().create(options)
    answer = service.complete_registration(email, credential)
    event = assert_registration_refused(service, answer, "email_taken")
    assert event["user_email"] == "jane@example.com"
    assert [user["id"] for user in users(service)] == [jane["id"]]
    assert len(passkeys(service)) == 1
    assert service.post("/register/begin", {**JANE, "email": email}).status_code == 409


def test_a_failed_registration_leaves_the_email_free(
    service: Service, device: SoftAuthenticator
) -> None:
    credential = device.create(service.begin_registration(), flaw=Flaw(uv=False))
    assert service.complete_registration(JANE["email"], credential).status_code == 400
    assert_nothing_stored(service)
    service.register(SoftAuthenticator())


def test_the_role_is_not_for_the_client_to_choose(
    service: Service, device: SoftAuthenticator
) -> None:
    assert service.post("/register/begin", {**JANE, "role": "admin"}).status_code == 422
    credential = {**device.create(service.begin_registration()), "role": "admin"}
    answer = service.complete_registration(JANE["email"], credential)
    assert answer.json()["role"] == "user"


def test_a_user_object_holds_no_credential_material(
    service: Service, device: SoftAuthenticator
) -> None:
    user = service.register(device)
    token = service.login(device)
    names = {*user, *service.get(f"/users/{user['id']}", token).json()}
    assert not names & {"credential_id", "public_key", "sign_count", "aaguid", "user_handle"}
