"""Whoever is told a path of the service is told one that is there, and the public gets no other."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.deploy import dockerfile, kubernetes, upcoming
from tests.deploy.workshop import DEPLOY
from tests.support.service import Service

INTERNAL = {"/livez", "/readyz", "/metrics"}
PAGES = {
    "/",
    "/docs",
    "/openapi.json",
    "/static/js/main.js",
    "/.well-known/webauthn",
    "/.well-known/passkey-endpoints",
    "/.well-known/assetlinks.json",
    "/.well-known/apple-app-site-association",
}


def probes() -> Iterator[tuple[str, str]]:
    """Who asks, and for which path."""
    (container,) = kubernetes.the("Deployment")["spec"]["template"]["spec"]["containers"]
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        yield name, container[name]["httpGet"]["path"]
    (path,) = re.findall(r"'GET', '([^']+)'", dockerfile.health_command()[-1])
    yield "HEALTHCHECK", path
    (endpoint,) = kubernetes.the("ServiceMonitor", "auth-example", "monitoring")["spec"][
        "endpoints"
    ]
    yield "ServiceMonitor", endpoint["path"]


def is_served(service: Service, path: str) -> bool:
    return service.get(path).status_code != 404


def is_let_in(path: str) -> bool:
    """Whether a rule of the Ingress matches `path`."""
    (rule,) = kubernetes.the("Ingress")["spec"]["rules"]
    return any(
        path == each["path"]
        or (each["pathType"] == "Prefix" and path.startswith(each["path"] + "/"))
        for each in rule["http"]["paths"]
    )


def test_every_probe_asks_for_a_path_that_is_served(service: Service) -> None:
    asked = dict(probes())
    assert set(asked.values()) == INTERNAL
    assert {path for path in asked.values() if not is_served(service, path)} == upcoming.ROUTES


def test_only_readiness_depends_on_what_is_outside_the_service() -> None:
    assert {who for who, path in probes() if path == "/readyz"} == {"readinessProbe"}


def test_the_ingress_lets_in_every_public_path(service: Service) -> None:
    paths = {re.sub(r"\{.*?\}", "1", path) for path in service.app.api.openapi()["paths"]}
    assert {path for path in (paths | PAGES) - INTERNAL if not is_let_in(path)} == set()


def test_every_path_that_the_ingress_lets_in_is_served(service: Service) -> None:
    public = {re.sub(r"\{.*?\}", "1", path) for path in service.app.api.openapi()["paths"]} | PAGES
    (rule,) = kubernetes.the("Ingress")["spec"]["rules"]
    named = {each["path"] for each in rule["http"]["paths"]}
    assert {name for name in named if not any(path.startswith(name) for path in public)} == set()


@pytest.mark.parametrize("path", sorted(INTERNAL))
def test_the_ingress_keeps_probes_and_metrics_inside(path: str) -> None:
    assert not is_let_in(path)


def test_the_proxy_keeps_the_same_paths_inside() -> None:
    text = (DEPLOY / "caddy" / "Caddyfile").read_text(encoding="utf-8")
    (line,) = re.findall(r"@internal path (.*)", text)
    assert set(line.split()) == INTERNAL
