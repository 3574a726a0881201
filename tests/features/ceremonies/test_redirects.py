"""The classic paths lead to the ceremonies, with method and body kept."""

from __future__ import annotations

import pytest

from tests.features.expect import event_of, events_of
from tests.support.service import JANE, Service

PATHS = pytest.mark.parametrize(
    ("path", "target", "body", "event_type"),
    [
        ("/users", "/register/begin", JANE, "registration_begin"),
        ("/login", "/login/begin", {"email": JANE["email"]}, "login_begin"),
    ],
)


@PATHS
def test_a_classic_path_redirects_within_this_site(
    service: Service, path: str, target: str, body: dict[str, str], event_type: str
) -> None:
    answer = service.post(path, body, headers={"Host": "evil.example"})
    assert answer.status_code == 307
    # Relative, so that no Host header can turn it elsewhere.
    assert answer.headers["location"] == target
    assert answer.content == b""
    assert events_of(service, answer) == []


@PATHS
def test_who_follows_gets_the_options(
    service: Service, path: str, target: str, body: dict[str, str], event_type: str
) -> None:
    answer = service.post(path, body, follow_redirects=True)
    assert (answer.status_code, answer.url.path) == (200, target)
    assert answer.request.method == "POST"
    assert list(answer.json()) == ["publicKey"]
    assert event_of(service, answer)["event_type"] == event_type


@PATHS
def test_a_classic_path_does_not_look_at_the_body(
    service: Service, path: str, target: str, body: dict[str, str], event_type: str
) -> None:
    answer = service.request("POST", path, content=b"\xff not JSON")
    assert (answer.status_code, answer.headers["location"]) == (307, target)
