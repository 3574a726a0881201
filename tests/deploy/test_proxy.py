"""Through the real proxy: people log in, are known by their address, and reach nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from devtools.authenticator import SoftAuthenticator
from tests.deploy.proxy import CADDYFILE, VISITOR, Proxy, service_behind_proxy
from tests.deploy.workshop import output_of, tool
from tests.support.process import free_port
from tests.support.service import JANE

SOMEBODY_ELSE = "203.0.113.7"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("proxy")


@pytest.fixture(scope="module")
def proxy(folder: Path) -> Iterator[Proxy]:
    with service_behind_proxy(folder) as running:
        yield running


@pytest.fixture(scope="module")
def visitor(proxy: Proxy) -> Iterator[httpx.Client]:
    with proxy.visitor() as client:
        yield client


def test_the_caddyfile_is_tidy() -> None:
    assert output_of(tool("caddy"), "fmt", CADDYFILE) == CADDYFILE.read_text(encoding="utf-8")


def test_people_register_and_log_in_over_tls(visitor: httpx.Client, proxy: Proxy) -> None:
    device = SoftAuthenticator(origin=proxy.origin)
    credential = device.create(begin(visitor, "register", JANE))
    body = {"email": JANE["email"], "credential": credential}
    assert visitor.post("/register/complete", json=body).status_code == 201
    assertion = device.get(begin(visitor, "login", {"email": JANE["email"]}))
    body = {"email": JANE["email"], "assertion": assertion}
    assert visitor.post("/login/complete", json=body).status_code == 200


def begin(visitor: httpx.Client, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = visitor.post(f"/{kind}/begin", json=body).json()["publicKey"]
    return options


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded"])
def test_the_trail_has_the_visitors_address_whatever_is_claimed(
    visitor: httpx.Client, folder: Path, header: str
) -> None:
    claim = {header: SOMEBODY_ELSE if header != "Forwarded" else f"for={SOMEBODY_ELSE}"}
    answer = visitor.post("/login/begin", json={"email": "nobody@example.com"}, headers=claim)
    with sqlite3.connect(folder / "app.db") as db:
        (row,) = db.execute(
            "SELECT ip_address FROM audit_logs WHERE request_id = ?",
            (answer.headers["X-Request-ID"],),
        )
    db.close()
    assert row == (VISITOR,)


@pytest.mark.parametrize(
    "path",
    ["/livez", "/readyz", "/metrics", "/metrics?x=1", "/%6detrics", "/METRICS", "/x/../metrics"],
)
def test_probes_and_metrics_are_not_for_visitors(visitor: httpx.Client, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 404
    # The service would have given its answer a name: it was never asked.
    assert "X-Request-ID" not in answer.headers


def test_plain_http_is_sent_to_https(proxy: Proxy) -> None:
    answer = httpx.get(f"http://localhost:{proxy.http}/", trust_env=False)
    assert answer.status_code == 308
    assert answer.headers["Location"].startswith("https://localhost")


def test_browsers_are_told_to_come_back_over_https(visitor: httpx.Client) -> None:
    assert "max-age=63072000" in visitor.get("/").headers["Strict-Transport-Security"]


def test_answers_with_secrets_in_them_are_never_compressed(visitor: httpx.Client) -> None:
    page = visitor.get("/static/js/main.js", headers={"Accept-Encoding": "gzip"})
    answer = visitor.get("/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert page.headers.get("Content-Encoding") == "gzip"
    assert "Content-Encoding" not in answer.headers


def test_a_body_that_is_too_large_is_refused_in_the_services_own_words(
    visitor: httpx.Client,
) -> None:
    answer = visitor.post("/login/begin", content=b" " * 40_000)
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


def test_the_health_check_is_answered(proxy: Proxy) -> None:
    assert proxy.health_answer() == 200


def test_without_a_service_the_answer_is_a_problem_like_any_other(tmp_path: Path) -> None:
    proxy = Proxy(tmp_path, free_port())
    with proxy.running(), proxy.visitor() as visitor:
        answer = visitor.post("/login/begin", json={})
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "unavailable"
    assert answer.json()["request_id"]
