"""Which pages may speak for this relying party: ours, as the top of their window."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.authenticator import OMIT, Flaw, SoftAuthenticator
from tests.conftest import StartService
from tests.features.expect import (
    assert_login_refused,
    assert_nothing_stored,
    assert_registration_refused,
)
from tests.support.service import JANE, Service

SECRET = "a secret of more than thirty-two bytes"
STRANGERS = {
    "a stranger": "http://evil.example",
    "another scheme": "https://localhost:8000",
    "no port": "http://localhost",
    "another port": "http://localhost:8001",
    "a sub-domain": "http://www.localhost:8000",
    "a trailing slash": "http://localhost:8000/",
    "our name in front": "http://localhost:8000.evil.example",
    "upper case": "HTTP://LOCALHOST:8000",
    "the address": "http://127.0.0.1:8000",
    "an opaque origin": "null",
    "nothing": "",
    "a space behind": "http://localhost:8000 ",
    "an app": "android:apk-key-hash:c29tZXRoaW5n",
}
ELSEWHERE = [
    *(pytest.param(Flaw(origin=o), "origin", id=name) for name, o in STRANGERS.items()),
    pytest.param(Flaw(cross_origin=True), "cross_origin", id="crossOrigin true"),
    *(
        pytest.param(Flaw(client_data_members={"crossOrigin": value}), "cross_origin", id=name)
        for name, value in {
            "crossOrigin in text": "false",
            "crossOrigin 1": 1,
            "crossOrigin 0": 0,
            "crossOrigin null": None,
        }.items()
    ),
    *(
        pytest.param(Flaw(client_data_members={"topOrigin": value}), "top_origin", id=name)
        for name, value in {
            "a foreign topOrigin": "http://evil.example",
            "our own topOrigin": "http://localhost:8000",
            "an empty topOrigin": "",
            "topOrigin false": False,
            "topOrigin a list": [],
        }.items()
    ),
    pytest.param(
        Flaw(cross_origin=True, top_origin="http://evil.example"), "cross_origin", id="framed"
    ),
]


@pytest.mark.parametrize(("flaw", "reason"), ELSEWHERE)
def test_a_login_from_elsewhere_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], flaw: Flaw, reason: str
) -> None:
    """A8: the page and every frame around it must be ours; the library looks at neither frame."""
    answer = service.try_login(device, flaw=flaw)
    event = assert_login_refused(service, answer, reason)
    assert event["user_id"] == jane["id"]


@pytest.mark.parametrize(("flaw", "reason"), ELSEWHERE)
def test_a_registration_from_elsewhere_is_refused(
    service: Service, device: SoftAuthenticator, flaw: Flaw, reason: str
) -> None:
    """A8: the same for registrations."""
    credential = device.create(service.begin_registration(), flaw=flaw)
    answer = service.complete_registration(JANE["email"], credential)
    assert_registration_refused(service, answer, reason)
    assert_nothing_stored(service)


@pytest.mark.parametrize(
    "members",
    [{}, {"crossOrigin": OMIT}, {"topOrigin": None}, {"a new member": {"of": ["the", "future"]}}],
    ids=["as chrome", "no crossOrigin", "topOrigin null", "unknown member"],
)
def test_a_page_of_ours_is_believed(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], members: dict[str, object]
) -> None:
    answer = service.try_login(device, flaw=Flaw(client_data_members=members))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://login.example.com",
        "https://example.com",
        "https://www.login.example.com",
        "https://other.example.com",
        "https://login.example.com:443",
        "https://login.example.com:8443",
        "https://login.example.com.",
    ],
)
def test_under_https_only_the_origins_that_were_set_are_believed(
    start_service: StartService, origin: str
) -> None:
    """A8: lying under the RP ID is not enough."""
    service = start_service(
        rp_id="example.com", origin="https://login.example.com", jwt_secret=SECRET
    )
    device = SoftAuthenticator(origin="https://login.example.com")
    service.register(device)
    answer = service.try_login(device, flaw=Flaw(origin=origin))
    assert_login_refused(service, answer, "origin")


def test_each_of_several_origins_is_believed(start_service: StartService) -> None:
    origins = ("https://example.com", "https://login.example.com:8443")
    service = start_service(rp_id="example.com", origin=",".join(origins), jwt_secret=SECRET)
    device = SoftAuthenticator(origin=origins[0])
    service.register(device)
    for origin in origins:
        assert service.try_login(device, flaw=Flaw(origin=origin)).status_code == 200


@pytest.mark.parametrize("rp_id", ["evil.example", "www.localhost", "LOCALHOST", ""])
def test_a_passkey_scoped_to_another_relying_party_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], rp_id: str
) -> None:
    """A8: whatever the page claims, the authenticator says whom it signs for."""
    answer = service.try_login(device, flaw=Flaw(rp_id=rp_id))
    assert_login_refused(service, answer, "rp_id_hash")
    flaw = Flaw(rp_id=rp_id)
    form = {**JANE, "email": "other@example.com"}
    credential = SoftAuthenticator().create(service.begin_registration(form), flaw=flaw)
    answer = service.complete_registration("other@example.com", credential)
    assert_registration_refused(service, answer, "rp_id_hash")
