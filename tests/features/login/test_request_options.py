"""What `/login/begin` answers."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.authenticator import SoftAuthenticator
from devtools.encoding import from_b64url
from tests.features.devices import id_of, second_device
from tests.features.expect import event_of
from tests.support.service import JANE, Service


def test_request_options_are_complete_and_exact(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    answer = service.post("/login/begin", {"email": JANE["email"]})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    options = answer.json()["publicKey"]
    assert answer.json() == {
        "publicKey": {
            "challenge": options["challenge"],
            "timeout": 60000,
            "rpId": "localhost",
            "allowCredentials": [
                {
                    "type": "public-key",
                    "id": id_of(device.passkeys[0]),
                    "transports": ["internal"],
                }
            ],
            "userVerification": "required",
        }
    }
    assert len(from_b64url(options["challenge"])) == 32


@pytest.mark.parametrize("body", [{}, {"email": None}], ids=["no email", "email null"])
def test_without_an_email_the_options_are_the_same_but_name_no_passkey(
    service: Service, jane: dict[str, Any], body: dict[str, Any]
) -> None:
    options = service.post("/login/begin", body).json()["publicKey"]
    assert options == {
        "challenge": options["challenge"],
        "timeout": 60000,
        "rpId": "localhost",
        "allowCredentials": [],
        "userVerification": "required",
    }


@pytest.mark.parametrize(
    ("sent", "offered"),
    [
        (["internal", "hybrid"], ["hybrid", "internal"]),
        (["usb", "nfc", "ble", "smart-card"], ["ble", "nfc", "smart-card", "usb"]),
        (["internal", "internal"], ["internal"]),
        (["internal", "carrier-pigeon", 7, None, ["usb"], {}], ["internal"]),
    ],
)
def test_known_transports_are_offered_again(
    service: Service, device: SoftAuthenticator, sent: list[Any], offered: list[str]
) -> None:
    credential = device.create(service.begin_registration())
    credential["response"]["transports"] = sent
    assert service.complete_registration(JANE["email"], credential).status_code == 201
    (descriptor,) = service.begin_login()["allowCredentials"]
    assert descriptor["transports"] == offered


@pytest.mark.parametrize("sent", [[], ["carrier-pigeon"], None, "internal", {"usb": 1}, 7])
def test_a_passkey_without_known_transports_is_offered_without_any(
    service: Service, device: SoftAuthenticator, sent: Any
) -> None:
    credential = device.create(service.begin_registration())
    credential["response"]["transports"] = sent
    assert service.complete_registration(JANE["email"], credential).status_code == 201
    (descriptor,) = service.begin_login()["allowCredentials"]
    assert descriptor == {"type": "public-key", "id": id_of(device.passkeys[0])}


@pytest.mark.parametrize("email", ["jane@example.com", "JANE@example.com", "jane@EXAMPLE.com"])
def test_a_login_may_be_begun_with_the_email_in_any_case(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], email: str
) -> None:
    (descriptor,) = service.begin_login(email)["allowCredentials"]
    assert descriptor["id"] == id_of(device.passkeys[0])
    assert service.try_login(device, email).status_code == 200


def test_all_of_a_users_passkeys_are_offered_and_nobody_elses(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], bob: dict[str, Any]
) -> None:
    more = [second_device(service, jane) for _ in range(3)]
    offered = {descriptor["id"] for descriptor in service.begin_login()["allowCredentials"]}
    assert offered == {id_of(held.passkeys[0]) for held in (device, *more)}


def test_a_begin_is_on_record(service: Service, jane: dict[str, Any]) -> None:
    event = event_of(service, service.post("/login/begin", {"email": "JANE@example.com"}))
    assert (event["event_type"], event["success"]) == ("login_begin", 1)
    assert (event["user_id"], event["user_email"]) == (jane["id"], JANE["email"])
    assert event["details"] == "Login begun for jane@example.com"
