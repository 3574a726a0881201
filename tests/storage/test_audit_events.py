"""Every kind of event there is comes out of a real ceremony, and no other kind does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import audit
from audit import Event
from core.database.interface import Change
from devtools.authenticator import Flaw, SoftAuthenticator
from tests.conftest import StartService
from tests.support.service import JANE, Service

Flow = Callable[[Service, SoftAuthenticator], object]


def log_in(service: Service, device: SoftAuthenticator) -> None:
    service.register(device)
    service.login(device)


def log_in_with(flaw: Flaw) -> Flow:
    def flow(service: Service, device: SoftAuthenticator) -> None:
        service.register(device)
        service.login(device)
        service.try_login(device, flaw=flaw)

    return flow


def read(whose: str | None) -> Flow:
    def flow(service: Service, device: SoftAuthenticator) -> None:
        user = service.register(device)
        service.get(f"/users/{whose or user['id']}", service.login(device))

    return flow


def begin_twice(service: Service, device: SoftAuthenticator) -> None:
    service.register(device)
    service.post("/register/begin", JANE)


def begin_too_often(service: Service, _: SoftAuthenticator) -> None:
    for _number in range(service.settings.rate_limit_email + 3):
        service.post("/login/begin", {"email": JANE["email"]})


# The kind of event, the flow that ends in it, its type, its reason and its sentence.
FLOWS: dict[type[Event], tuple[Flow, str, int, str | None, str]] = {
    audit.RegistrationBegun: (
        lambda service, device: service.post("/register/begin", JANE),
        *("registration_begin", 1, None, "Registration begun for jane@example.com"),
    ),
    audit.RegistrationBeginRefused: (
        begin_twice,
        *("registration_begin", 0, "email_taken"),
        "Registration not begun for jane@example.com: email_taken",
    ),
    audit.RegistrationCompleted: (
        lambda service, device: service.register(device),
        *("registration_complete", 1, None),
        "User Jane Doe registered with a passkey (aaguid: 8d7a4a4e-5f0f-4b0c-9c2f-6d2b7a51c0de)",
    ),
    audit.RegistrationRefused: (
        lambda service, device: service.complete_registration(JANE["email"], {}),
        *("registration_complete", 0, "member_response"),
        "Registration refused for jane@example.com: member_response",
    ),
    audit.LoginBegun: (
        lambda service, device: service.post("/login/begin", {}),
        *("login_begin", 1, None, "Usernameless login begun"),
    ),
    audit.LoginBeginRefused: (
        lambda service, device: service.post("/login/begin", {"email": JANE["email"]}),
        *("login_begin", 0, "unknown_email"),
        "Login begun for jane@example.com: unknown_email",
    ),
    audit.LoginCompleted: (
        log_in,
        *("login_complete", 1, None, "User Jane Doe logged in (role: user)"),
    ),
    audit.LoginRefused: (
        log_in_with(Flaw(flip_signature_bit=True)),
        *("login_complete", 0, "signature", "Login refused for Jane Doe: signature"),
    ),
    audit.CloneSuspected: (
        log_in_with(Flaw(sign_count=1)),
        *("login_complete", 0, "possible_clone"),
        "Login refused for Jane Doe: possible clone, the sign count did not increase",
    ),
    audit.ProfileRead: (
        read(None),
        *("user_access", 1, None, "User Jane Doe accessed by Jane Doe (role: user)"),
    ),
    audit.ProfileRefused: (
        read("3f0c3c9e-6a2e-4c3e-9d84-0a4c4dcbb3f2"),
        *("user_access", 0, "forbidden"),
        "Access to user 3f0c3c9e-6a2e-4c3e-9d84-0a4c4dcbb3f2 by Jane Doe (role: user) refused: "
        "forbidden",
    ),
    audit.TokenRejected: (
        lambda service, device: service.get("/users/x"),
        *("token_rejected", 0, "missing", "Access token rejected: missing"),
    ),
    audit.RateLimited: (
        begin_too_often,
        *("rate_limited", 0, "email", "More than 5 a minute of login_begin (limit: email)"),
    ),
}


def kinds(of: type[Event] = Event) -> Iterator[type[Event]]:
    for kind in of.__subclasses__():
        yield kind
        yield from kinds(kind)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """The events themselves, as they are written down."""
    seen: list[Event] = []
    record, record_if = audit.record, audit.record_if

    def note(tx: Any, caller: Any, event: Event) -> None:
        seen.append(event)
        record(tx, caller, event)

    def note_if(tx: Any, caller: Any, event: Event, change: Change) -> bool:
        done = record_if(tx, caller, event, change)
        seen.extend([event] if done else [])
        return done

    monkeypatch.setattr(audit, "record", note)
    monkeypatch.setattr(audit, "record_if", note_if)
    return seen


def test_every_kind_of_event_has_a_flow_here() -> None:
    """An event that is added gets a flow with it; one that nobody produces is dead."""
    assert FLOWS.keys() == set(kinds())


@pytest.mark.parametrize("kind", FLOWS, ids=lambda kind: kind.__name__)
def test_a_flow_ends_in_its_event(
    start_service: StartService,
    device: SoftAuthenticator,
    recorded: list[Event],
    kind: type[Event],
) -> None:
    """The class, and the row that it becomes."""
    flow, event_type, success, reason, details = FLOWS[kind]
    service = start_service(rate_limit_email=5)
    flow(service, device)
    assert type(recorded[-1]) is kind
    row = service.audit()[-1]
    told = (row["event_type"], row["success"], row["reason"], row["details"])
    assert told == (event_type, success, reason, details)
    assert len(service.audit()) == len(recorded)


def test_the_event_types_are_those_of_the_contract_and_later_ones() -> None:
    """The contract's five, and ours."""
    types = {kind.event_type for kind in kinds()}
    assert types >= {
        "registration_begin",
        "registration_complete",
        "login_begin",
        "login_complete",
        "user_access",
        "token_rejected",
    }


def test_a_flood_is_on_record_once_a_window(
    start_service: StartService, device: SoftAuthenticator
) -> None:
    """An attacker does not fill the trail with refusals."""
    service = start_service(rate_limit_email=5)
    begin_too_often(service, device)
    assert len(service.audit("rate_limited")) == 1


def test_row_ids_are_in_the_order_of_time(service: Service, device: SoftAuthenticator) -> None:
    """UUID version 7: what happened later sorts later, second by second."""
    service.register(device)
    service.let_pass(1)
    service.login(device)
    ids = [row["id"] for row in service.audit()]
    assert max(ids[:2]) < min(ids[2:])
    assert all(row_id[14] == "7" for row_id in ids)
