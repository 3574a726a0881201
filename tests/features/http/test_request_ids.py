"""One id per request, from the caller's header to the log line."""

from __future__ import annotations

import uuid

import pytest

from devtools.authenticator import SoftAuthenticator
from tests.support.app_log import lines
from tests.support.service import JANE, Service

NAME = "X-Request-ID"
KEPT = ("a", "0", "abc.DEF_123-x", "7e1cb560-1592-4b04-90b3-9b45a6c3f0be", "x" * 64, "...", "-")
REPLACED = {
    "empty": b"",
    "65 characters": b"x" * 65,
    "10 kB": b"x" * 10_000,
    "a space": b"a b",
    "a line feed": b"a\nb",
    "CR LF and a header": b"a\r\nSet-Cookie: x=1",
    "a line feed at the end": b"a\n",
    "an ANSI escape": b"\x1b[31m",
    "a NUL": b"a\x00",
    "markup": b"<script>",
    "a quote": b'"}',
    "a slash": b"a/b",
    "a percent sign": b"%0a",
    "not ASCII": "é".encode(),
    "Arabic digits": "١".encode(),
    "latin-1": b"\xe9",
}


@pytest.mark.parametrize("given", KEPT)
def test_a_sound_request_id_is_kept(shared: Service, given: str) -> None:
    """The caller's own id comes back, in the header and in a refusal's body."""
    answer = shared.get("/nowhere", headers={NAME: given})
    assert answer.headers.get_list(NAME) == [given]
    assert answer.json()["request_id"] == given


@pytest.mark.parametrize("given", REPLACED.values(), ids=REPLACED)
def test_an_unsound_request_id_is_replaced(shared: Service, given: bytes) -> None:
    """B7: nothing that could break a line or a header is taken over."""
    answer = shared.get("/nowhere", headers={NAME: given})
    (shown,) = answer.headers.get_list(NAME)
    assert str(uuid.UUID(shown)) == shown
    assert answer.json()["request_id"] == shown
    assert "set-cookie" not in answer.headers


def test_without_a_request_id_every_answer_has_one_of_its_own(shared: Service) -> None:
    """Random, so that two requests are never taken for one."""
    shown = {shared.get(path).headers[NAME] for path in ("/", "/", "/nowhere", "/users/x")}
    assert len(shown) == 4


def test_the_request_id_stands_in_the_row_and_in_the_line(
    service: Service, device: SoftAuthenticator
) -> None:
    """Answer, audit row and log line are found by one word."""
    user, token = service.register(device), service.login(device)
    service.get(f"/users/{user['id']}", token, headers={NAME: "case-42"})
    (row,) = service.rows("SELECT * FROM audit_logs WHERE request_id = 'case-42'")
    assert row["event_type"] == "user_access"
    assert lines(service, 5)[-1]["request_id"] == "case-42"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/register/begin", JANE, 200),
        ("/register/complete", {"email": JANE["email"], "credential": {}}, 400),
        ("/login/begin", {}, 200),
        ("/login/complete", {"assertion": {}}, 401),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_ceremony_step_is_on_record_under_its_request_id(
    service: Service, path: str, body: dict[str, object], status: int
) -> None:
    """Successes and refusals alike."""
    answer = service.post(path, body)
    assert answer.status_code == status
    (row,) = service.audit()
    assert row["request_id"] == answer.headers[NAME]
