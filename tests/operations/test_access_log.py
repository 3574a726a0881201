"""The access log: one line for each request if it is switched on, without ids or secrets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from devtools.authenticator import SoftAuthenticator
from tests.conftest import StartService
from tests.support.app_log import parsed, until
from tests.support.service import JANE, Service

FIELDS = {"method", "route", "status", "ms", "bytes", "request_id", "ip_address"}
COMMON = {"time", "level", "logger", "message"}


def access_lines(service: Service, count: int) -> list[dict[str, Any]]:
    def found() -> list[dict[str, Any]]:
        lines = parsed(service.folder / "app.log")
        return [line for line in lines if line["logger"] == "service.access"]

    until(lambda: len(found()) >= count)
    assert len(found()) == count
    return found()


@pytest.fixture
def service(start_service: StartService) -> Service:
    return start_service(access_log=True, trusted_proxies=("127.0.0.0/8",))


def test_it_is_off_by_default(start_service: StartService, device: SoftAuthenticator) -> None:
    with_none = start_service()
    with_none.register(device)
    until(lambda: len(parsed(with_none.folder / "app.log")) == 2)
    assert {line["logger"] for line in parsed(with_none.folder / "app.log")} == {"audit"}


def test_every_request_is_one_line(service: Service) -> None:
    answer = service.post("/login/begin", {"email": JANE["email"]})
    (line,) = access_lines(service, 1)
    assert line.keys() == FIELDS | COMMON
    assert (line["method"], line["route"], line["status"]) == ("POST", "/login/begin", 200)
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert line["bytes"] == len(answer.content)
    assert 0 < line["ms"] < 60_000


def test_it_has_the_address_that_the_audit_trail_has(service: Service) -> None:
    forwarded = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}
    service.post("/login/begin", {}, headers=forwarded)
    (line,) = access_lines(service, 1)
    assert line["ip_address"] == service.audit()[0]["ip_address"] == "203.0.113.7"


def test_no_line_holds_an_id_a_query_or_a_token(
    service: Service, device: SoftAuthenticator
) -> None:
    user = service.register(device)
    token = service.login(device)
    service.get(f"/users/{user['id']}?access_token={token}", token)
    service.get(f"/users/{JANE['email']}", token)
    service.get(f"/nothing?email={JANE['email']}&access_token={token}")
    text = str(access_lines(service, 7))
    for secret in (user["id"], token, "access_token", JANE["email"], "?"):
        assert secret not in text


def test_a_path_without_a_route_is_shown_shortened_and_escaped(service: Service) -> None:
    """F: a hostile path adds no line, sends no code to a terminal, and does not fill the disk."""
    hostile = '/%0A{"logger":"audit"}%1b[2J%e2%80%ae' + "a" * 5000
    service.get(hostile)
    (line,) = access_lines(service, 1)
    assert (line["route"], line["status"]) == ("unmatched", 404)
    assert line["path"].startswith('/\\n{"logger":"audit"}\\x1b[2J\\u202eaaa')
    assert line["path"].isprintable()
    assert len(line["path"]) <= 200


def test_refusals_faults_and_files_are_lines_too(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("a pipe burst")

    service.post("/login/begin", {"email": "no email"})
    service.request("DELETE", "/login/begin")
    page = service.get("/static/js/main.js")
    monkeypatch.setattr(service, "parts", replace(service.parts, passkeys=cast(Any, Broken())))
    service.post("/login/begin", {})
    found = [(line["route"], line["status"]) for line in access_lines(service, 4)]
    begin = "/login/begin"
    assert found == [(begin, 422), (begin, 405), ("/static", 200), (begin, 500)]
    # What was sent is compressed; `content` is not.
    assert access_lines(service, 4)[2]["bytes"] == int(page.headers["content-length"])
