"""A trail that takes no row: nothing that must be on record happens, whatever the reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from devtools.authenticator import SoftAuthenticator
from tests.features.expect import passkeys, users
from tests.support.service import JANE, Service, person

RAISES = "BEGIN SELECT RAISE(ABORT, 'no row is good enough'); END"
AWAY = (
    "ALTER TABLE audit_logs RENAME TO audit_logs_away",
    "ALTER TABLE audit_logs_away RENAME TO audit_logs",
)
TRIGGER = (
    f"CREATE TRIGGER unwritable BEFORE INSERT ON audit_logs {RAISES}",
    "DROP TRIGGER unwritable",
)
WAYS = [
    pytest.param(AWAY, id="the table is away"),
    # To the driver this is a broken constraint, and no outage.
    pytest.param(TRIGGER, id="a trigger raises", marks=pytest.mark.sqlite),
]


@contextmanager
def unwritable(service: Service, way: tuple[str, str]) -> Iterator[None]:
    spoil, mend = way
    service.rows(spoil)
    try:
        yield
    finally:
        service.rows(mend)


@pytest.mark.parametrize("way", WAYS)
def test_a_login_that_cannot_be_recorded_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], way: tuple[str, str]
) -> None:
    """E2: 503 and no token; the count has not moved, and the challenge is spent."""
    assertion, before = device.get(service.begin_login()), passkeys(service)
    with unwritable(service, way):
        answer = service.complete_login(JANE["email"], assertion)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert "access_token" not in answer.text
        assert service.post("/login/begin", {}).status_code == 503
    assert passkeys(service) == before
    assert service.complete_login(JANE["email"], assertion).status_code == 401
    assert service.try_login(device).status_code == 200


@pytest.mark.parametrize("way", WAYS)
def test_a_registration_that_cannot_be_recorded_writes_nothing(
    service: Service, device: SoftAuthenticator, way: tuple[str, str]
) -> None:
    """E2: neither a user nor a passkey."""
    form = person("mary")
    credential = device.create(service.begin_registration(form))
    with unwritable(service, way):
        answer = service.complete_registration(form["email"], credential)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert (users(service), passkeys(service)) == ([], [])
    assert service.register(SoftAuthenticator(), form)
