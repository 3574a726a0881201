"""Traces, from a real service to a real OTLP receiver: what stands in them, and what never does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from assurance.support.forked_servers import connect
from devtools.authenticator import SoftAuthenticator
from routes.edge.tracing import open_tracing
from tests.operations.tracing.collector import Collector, Seen, collecting
from tests.support.app_log import parsed
from tests.support.process import running_server
from tests.support.service import JANE, Service

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
SETTINGS = {
    "OTEL_BSP_SCHEDULE_DELAY": "50",
    # FastAPI's own telemetry, which would send more: it must stay off whatever is asked for.
    "FASTAPI_OTEL_AUTO_CONFIGURE": "true",
}


@dataclass
class Day:
    """What someone did at a traced service, and what the collector was told of it."""

    collector: Collector
    folder: Path
    secrets: list[str]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("traced")
    with collecting() as collector:
        variables = {**SETTINGS, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        with running_server(folder, **variables) as url, connect(url) as client:
            secrets = live(client, SoftAuthenticator(origin=url))
        yield Day(collector, folder, secrets)


def live(client: httpx.Client, device: SoftAuthenticator) -> list[str]:
    """Register, log in, read, fail; what was said that no span may hold."""
    email = JANE["email"]
    challenge = begin(client, "register", JANE)
    body: dict[str, Any] = {"email": email, "credential": device.create(challenge)}
    user = client.post("/register/complete", json=body).json()
    body = {"email": email, "assertion": device.get(begin(client, "login", {"email": email}))}
    headers = {"traceparent": TRACEPARENT, "tracestate": "vendor=told", "X-Request-ID": "this-one"}
    token = client.post("/login/complete", json=body, headers=headers).json()["access_token"]
    assert client.post("/login/complete", json=body).status_code == 401
    bearer = {"Authorization": f"Bearer {token}", "traceparent": f"00-{TRACE}-junk"}
    assert client.get(f"/users/{user['id']}?q={email}", headers=bearer).status_code == 200
    assert client.get(f"/nothing/{email}").status_code == 404
    assert client.request("PROPFIND", "/login").status_code == 405
    assert client.get("/readyz").status_code == 200
    return [email, user["id"], token, "Doe", "127.0.0.1", "python-httpx", challenge["challenge"]]


def begin(client: httpx.Client, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = client.post(f"/{kind}/begin", json=body).json()["publicKey"]
    return options


def children(day: Day, parent: Seen) -> list[str]:
    return sorted(span.name for span in day.collector.spans() if span.parent_id == parent.span_id)


def test_a_request_is_a_span_under_its_callers(day: Day) -> None:
    (span,) = (each for each in day.collector.named("POST /login/complete") if each.parent_id)
    assert (span.trace_id, span.parent_id) == (TRACE, PARENT)
    assert span.attributes == {
        "http.request.method": "POST",
        "http.route": "/login/complete",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "request.id": "this-one",
    }


def test_a_strangers_tracestate_is_not_sent_on(day: Day) -> None:
    assert {span.tracestate for span in day.collector.spans()} == {""}


def test_the_database_and_the_verification_are_spans_within(day: Day) -> None:
    (login,) = (each for each in day.collector.named("POST /login/complete") if each.parent_id)
    assert children(day, login) == ["database read", "database write", "verify login"]
    (registration,) = day.collector.named("POST /register/complete")
    assert children(day, registration) == ["database write", "verify registration"]
    assert {span.trace_id for span in day.collector.spans() if span.parent_id == login.span_id} == {
        TRACE
    }


def test_a_refused_login_is_no_error_and_says_nothing_of_why(day: Day) -> None:
    spans = day.collector.named("POST /login/complete")
    (refused,) = (each for each in spans if each.attributes["http.response.status_code"] == 401)
    assert not refused.is_error
    assert "error.type" not in refused.attributes


def test_a_traceparent_that_is_none_begins_a_trace(day: Day) -> None:
    (read,) = day.collector.named("GET /users/{user_id}")
    assert read.parent_id == ""
    assert len(read.trace_id) == 32


def test_what_matches_no_route_has_no_path(day: Day) -> None:
    (unmatched,) = day.collector.named("GET")
    assert "http.route" not in unmatched.attributes
    assert unmatched.attributes["http.response.status_code"] == 404


def test_a_method_that_is_none_is_not_repeated(day: Day) -> None:
    (odd,) = day.collector.named("_OTHER /login")
    assert odd.attributes["http.request.method"] == "_OTHER"


def test_probes_have_no_spans(day: Day) -> None:
    roots = {span.name for span in day.collector.spans() if not span.parent_id}
    assert not any("/readyz" in name or name.startswith("database") for name in roots)


def test_no_span_holds_what_a_person_sent(day: Day) -> None:
    sent = b"".join(day.collector.bodies)
    assert sent
    assert [secret for secret in day.secrets if secret.encode() in sent] == []
    assert {span.events for span in day.collector.spans()} == {0}


def test_the_service_says_who_it_is(day: Day) -> None:
    (resource,) = {tuple(sorted(span.resource.items())) for span in day.collector.spans()}
    assert dict(resource)["service.name"] == "auth-example"
    assert dict(resource)["service.version"] == "1.0.0"


def test_the_last_spans_are_sent_before_the_service_ends(day: Day) -> None:
    """The server has ended when the fixture returns: no span came later, none is missing."""
    assert len([span for span in day.collector.spans() if span.name == "GET"]) == 1
    assert len(parsed(day.folder / "app.log")) == 6


def test_a_fault_is_an_error_with_its_type_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fault(*_: object) -> None:
        raise RuntimeError("jane@example.com could not be read")

    with collecting() as collector:
        endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        monkeypatch.setenv(*endpoint.popitem())
        with Service(tmp_path, tracing=open_tracing(os.environ, "1.0.0")) as service:
            monkeypatch.setattr(service.parts.challenges, "put", fault)
            assert service.post("/login/begin", {}).status_code == 500
        (span,) = collector.named("POST /login/begin")
    assert span.is_error
    assert span.attributes["error.type"] == "RuntimeError"
    assert b"jane" not in b"".join(collector.bodies)


def test_a_collector_that_never_answers_costs_no_request_and_no_shutdown(tmp_path: Path) -> None:
    with collecting() as collector:
        collector.silent.set()
        variables = {**SETTINGS, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        with running_server(tmp_path, **variables) as url, connect(url) as client:
            for _ in range(20):
                assert client.post("/login/begin", json={}).status_code == 200
        # `running_server` waits 20 seconds for the end, and no longer.
        assert collector.bodies == []


@pytest.mark.parametrize(
    "variables",
    [
        {"OTEL_SDK_DISABLED": "true"},
        {"OTEL_TRACES_EXPORTER": "none"},
    ],
    ids=["disabled", "no exporter"],
)
def test_switched_off_nothing_is_sent(tmp_path: Path, variables: dict[str, str]) -> None:
    with collecting() as collector:
        endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        with running_server(tmp_path, **SETTINGS, **endpoint, **variables) as url:
            assert httpx.get(f"{url}/livez").status_code == 200
            assert httpx.post(f"{url}/login/begin", json={}).status_code == 200
        assert collector.bodies == []
