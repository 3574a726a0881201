"""Who is registered: `/login/begin` does not tell."""

from __future__ import annotations

import itertools
import secrets
import uuid
from typing import Any

import httpx
import pytest

from core.relying_party.decoys import SHAPES, Shape
from devtools.authenticator import Flaw, SoftAuthenticator
from devtools.encoding import from_b64url
from tests.conftest import StartService
from tests.features.expect import LOGIN_REFUSED, event_of, public
from tests.support.service import JANE, Service, person

UNKNOWN = [f"nobody{number}@example.com" for number in range(20)]
SECRET = "another secret of more than thirty-two bytes"
WITHOUT_PASSKEY = """
    INSERT INTO users (id, first_name, last_name, email, date_of_birth, job_title)
    VALUES (?, 'Cleo', 'Doe', 'cleo@example.com', '1990-01-15', 'Engineer')
"""


def begin(service: Service, email: str) -> httpx.Response:
    return service.post("/login/begin", {"email": email})


def descriptors(service: Service, email: str) -> list[dict[str, Any]]:
    offered: list[dict[str, Any]] = service.begin_login(email)["allowCredentials"]
    return offered


def seen_from_outside(answer: httpx.Response) -> Any:
    """Everything an attacker can compare: names, order and lengths, but no random bytes."""
    headers = [(name, value) for name, value in answer.headers.items() if name != "x-request-id"]
    options = answer.json()["publicKey"]
    shapes = [
        [(name, len(value), value if name != "id" else None) for name, value in item.items()]
        for item in options["allowCredentials"]
    ]
    rest = {**options, "challenge": len(options["challenge"]), "allowCredentials": shapes}
    return answer.status_code, headers, len(answer.content), list(options), rest


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_an_unknown_email_is_answered_like_a_known_one(service: Service, shape: Shape) -> None:
    """D1: whatever shape of the published table a passkey has."""
    device = SoftAuthenticator(transports=shape.transports.split(",") if shape.transports else ())
    service.register(device, flaw=Flaw(credential_id=bytes(range(shape.length))))
    known = seen_from_outside(begin(service, JANE["email"]))
    assert seen_from_outside(begin(service, drawing(service, shape))) == known


def drawing(service: Service, shape: Shape) -> str:
    """An unknown email whose decoy has this shape."""
    decoys = service.parts.passkeys.decoys
    emails = (f"nobody{number}@example.com" for number in itertools.count())
    return next(
        email
        for email in emails
        if Shape(len(decoys.of(email)[0][0]), decoys.of(email)[0][1]) == shape
    )


def test_an_account_without_a_passkey_is_answered_like_an_unknown_email(service: Service) -> None:
    """D1: with the decoy that this email had before it was registered."""
    before = descriptors(service, "cleo@example.com")
    service.rows(WITHOUT_PASSKEY, str(uuid.uuid4()))
    assert descriptors(service, "cleo@example.com") == before


def test_hostile_registrations_change_no_answer(service: Service) -> None:
    """D1: however many, of whatever lengths and transports."""
    service.register(SoftAuthenticator())
    emails = [*UNKNOWN, JANE["email"]]
    before = [descriptors(service, email) for email in emails]
    for number in range(40):
        device = SoftAuthenticator(transports=("usb", "smart-card", "teleport"))
        flaw = Flaw(credential_id=secrets.token_bytes(777 if number % 2 else 16 + number))
        service.register(device, person(f"hostile{number}"), flaw=flaw)
    assert [descriptors(service, email) for email in emails] == before
    assert {row["transports"] for row in service.rows("SELECT * FROM webauthn_credentials")} == {
        "internal",
        "smart-card,usb",
    }
    # The hostile accounts do not stand out by ids that no decoy has.
    for number in range(40):
        (offered,) = descriptors(service, f"hostile{number}@example.com")
        assert len(from_b64url(offered["id"])) <= 255


def test_registering_an_offered_credential_id_fails_whoever_it_was_offered_for(
    service: Service,
) -> None:
    """D1: the same answer for the decoy of nobody and for the passkey of Jane."""
    service.register(SoftAuthenticator())
    answers = []
    for number, email in enumerate([JANE["email"], *UNKNOWN]):
        offered = from_b64url(descriptors(service, email)[0]["id"])
        thief = person(f"thief{number}")
        credential = SoftAuthenticator().create(
            service.begin_registration(thief), flaw=Flaw(credential_id=offered)
        )
        answers.append(service.complete_registration(thief["email"], credential))
    assert {answer.status_code for answer in answers} == {400}
    assert all(public(answer) == public(answers[0]) for answer in answers)
    assert [event_of(service, answer)["reason"] for answer in answers] == [
        "credential_taken",
        *["credential_decoy"] * len(UNKNOWN),
    ]
    assert len(service.rows("SELECT id FROM users")) == 1


def test_nobody_is_offered_a_credential_if_the_settings_say_so(start_service: StartService) -> None:
    """D1: known or not, the answer is empty; the login stays bound to the email."""
    service = start_service(offer_credentials="none", danger_rate_limits_off=True)
    device, bobs = SoftAuthenticator(), SoftAuthenticator()
    service.register(device)
    service.register(bobs, person("bob"))
    service.rows(WITHOUT_PASSKEY, str(uuid.uuid4()))
    emails = [JANE["email"], "cleo@example.com", *UNKNOWN[:3]]
    seen = [seen_from_outside(begin(service, email)) for email in emails]
    assert all(each == seen[0] for each in seen)
    assert descriptors(service, JANE["email"]) == []
    assert service.try_login(device).status_code == 200
    assert public(service.try_login(bobs)) == LOGIN_REFUSED
    assert service.last_audit("login_complete")["reason"] == "other_email"


def test_the_audit_trail_tells_what_the_answer_does_not(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """D1: one row for each, with the reason."""
    service.rows(WITHOUT_PASSKEY, str(uuid.uuid4()))
    service.rows("UPDATE users SET disabled = 1 WHERE id = ?", jane["id"])
    for email, reasons in [
        ("nobody@example.com", ["unknown_email"]),
        ("cleo@example.com", ["no_passkey"]),
        (JANE["email"], ["unknown_email", "user_disabled"]),
    ]:
        event = event_of(service, begin(service, email))
        assert (event["event_type"], event["success"]) == ("login_begin", 0)
        assert (event["user_email"], event["user_id"]) == (email, None)
        assert event["reason"] in reasons


def test_a_decoy_is_the_same_every_time(service: Service) -> None:
    """D1: also in another spelling of the email; real passkeys do not change either."""
    first = descriptors(service, "nobody@example.com")
    for email in ("nobody@example.com", "NOBODY@Example.com") * 2:
        assert descriptors(service, email) == first


def test_every_email_has_a_decoy_of_its_own(service: Service) -> None:
    """D1: one id that came twice would give them away."""
    ids = [item["id"] for email in UNKNOWN for item in descriptors(service, email)]
    assert len({from_b64url(text)[:16] for text in ids}) == len(UNKNOWN)


def test_decoys_outlive_a_restart(start_service: StartService) -> None:
    """D1: they come from a secret, not from memory."""
    service = start_service()
    before = [descriptors(service, email) for email in UNKNOWN]
    with Service(service.folder) as restarted:
        assert [descriptors(restarted, email) for email in UNKNOWN] == before


@pytest.mark.parametrize("settings", [{"jwt_secret": SECRET}, {"decoy_secret": SECRET}])
def test_decoys_cannot_be_computed_without_the_secret(
    service: Service, start_service: StartService, settings: dict[str, str]
) -> None:
    """D1: nor are they the same in two services."""
    other = start_service(**settings)
    for email in UNKNOWN:
        assert descriptors(other, email) != descriptors(service, email)


def test_decoys_survive_a_new_token_secret_if_they_have_their_own(
    start_service: StartService,
) -> None:
    """D1: rotating JWT_SECRET must not show who is a decoy."""
    service = start_service(decoy_secret=SECRET)
    before = [descriptors(service, email) for email in UNKNOWN]
    with Service(service.folder, decoy_secret=SECRET, jwt_secret=SECRET[::-1]) as rotated:
        assert [descriptors(rotated, email) for email in UNKNOWN] == before


def test_a_login_for_an_unknown_email_fails_like_any_other(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """D1: at the end the answer is the same, too."""
    known = service.try_login(device, flaw=Flaw(flip_signature_bit=True))
    decoy = descriptors(service, "nobody@example.com")[0]["id"]
    options = service.begin_login("nobody@example.com")
    assertion = device.get(options, flaw=Flaw(ignores_options=True))
    assertion |= {"id": decoy, "rawId": decoy}
    unknown = service.complete_login("nobody@example.com", assertion)
    assert public(unknown) == public(known) == LOGIN_REFUSED
    assert list(unknown.headers) == list(known.headers)


def test_unknown_emails_are_revealed_if_one_asks_for_it(start_service: StartService) -> None:
    service = start_service(danger_reveal_unknown_email=True)
    service.register(SoftAuthenticator())
    service.rows(WITHOUT_PASSKEY, str(uuid.uuid4()))
    assert begin(service, JANE["email"]).status_code == 200
    assert begin(service, "cleo@example.com").status_code == 401
    answer = begin(service, "nobody@example.com")
    assert (answer.status_code, public(answer)) == (401, LOGIN_REFUSED)
    assert event_of(service, answer)["reason"] == "unknown_email"
    # A usernameless login names nobody, so there is nothing to reveal.
    assert service.post("/login/begin", {}).status_code == 200
