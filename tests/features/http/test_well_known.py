"""What browsers and password managers look up: which other domains, and where to get a passkey."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.authenticator import Flaw, SoftAuthenticator
from tests.conftest import StartService
from tests.features.expect import assert_login_refused
from tests.features.http.problems import problem
from tests.support.service import Service

SECRET = "a secret of more than thirty-two bytes"
OURS, RELATED = (
    "https://login.example.com",
    ("https://example.de", "https://shop.example.co.uk:8443"),
)
SETTINGS: dict[str, Any] = {
    "rp_id": "example.com",
    "origin": OURS,
    "related_origins": ",".join(RELATED),
    "jwt_secret": SECRET,
}
# Everything that is nearly one of them.
NEARLY = [
    "http://example.de",
    "https://example.de/",
    "https://example.de:443",
    "https://www.example.de",
    "https://EXAMPLE.de",
    "https://example.de.evil.example",
    "https://evilexample.de",
    "https://shop.example.co.uk",
    "https://shop.example.co.uk:8444",
    "https://example.co.uk:8443",
    "https://de",
    "https://example.com",
    "null",
]


@pytest.fixture
def related(start_service: StartService) -> Service:
    return start_service(**SETTINGS)


def test_a_browser_is_told_which_other_origins_may_use_the_passkeys(related: Service) -> None:
    """WebAuthn L3 §5.11: this path, this type, one member, exactly the origins that were set."""
    answer = related.get("/.well-known/webauthn")
    assert (answer.status_code, answer.json()) == (200, {"origins": list(RELATED)})
    assert answer.headers["content-type"] == "application/json"


def test_without_related_origins_there_is_no_such_document(shared: Service) -> None:
    problem(shared.get("/.well-known/webauthn"), 404, "not_found")


@pytest.mark.parametrize("path", ["webauthn", "passkey-endpoints"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_documents_are_only_read(related: Service, path: str, method: str) -> None:
    """B11: 405, and nothing happens."""
    answer = related.request(method, f"/.well-known/{path}")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("path", ["", "webauthn/", "webauthn/x", "nothing"])
def test_nothing_else_is_well_known(related: Service, path: str) -> None:
    problem(related.get(f"/.well-known/{path}"), 404, "not_found")


@pytest.mark.parametrize("origin", [OURS, *RELATED])
def test_a_page_of_a_related_origin_registers_and_logs_in(related: Service, origin: str) -> None:
    """One passkey for all of them: it belongs to the RP ID."""
    device = SoftAuthenticator(origin=origin)
    related.register(device)
    assert related.try_login(device).status_code == 200
    for other in (OURS, *RELATED):
        assert related.try_login(device, flaw=Flaw(origin=other)).status_code == 200


@pytest.mark.parametrize("origin", NEARLY)
def test_what_is_nearly_a_related_origin_is_refused(related: Service, origin: str) -> None:
    """A8: exact strings, for these as for our own."""
    device = SoftAuthenticator(origin=RELATED[0])
    related.register(device)
    answer = related.try_login(device, flaw=Flaw(origin=origin))
    assert_login_refused(related, answer, "origin")


def test_a_related_origin_may_not_frame_us(related: Service) -> None:
    """A8: it speaks for itself, as the top of its window."""
    device = SoftAuthenticator(origin=OURS)
    related.register(device)
    framed = Flaw(cross_origin=True, top_origin=RELATED[0])
    assert_login_refused(related, related.try_login(device, flaw=framed), "cross_origin")


def test_a_related_origin_does_not_become_the_issuer(related: Service) -> None:
    assert related.settings.issuer == OURS


def test_a_password_manager_is_told_where_to_get_a_passkey(related: Service) -> None:
    """W3C Passkey Endpoints: an absolute URL of this site; no `manage` before there is a page."""
    answer = related.get("/.well-known/passkey-endpoints")
    assert (answer.status_code, answer.json()) == (200, {"enroll": f"{OURS}/#register"})
    assert answer.headers["content-type"] == "application/json"


def test_the_page_that_enrolls_is_there(shared: Service) -> None:
    """Without configuration, too: this service's own page, with its register tab."""
    url = shared.get("/.well-known/passkey-endpoints").json()["enroll"]
    assert url == "http://localhost:8000/#register"
    assert 'id="tab-register"' in shared.get(url.removeprefix("http://localhost:8000")).text
