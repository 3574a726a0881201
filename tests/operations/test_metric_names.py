"""docs/operations.md names exactly the metrics that there are, with their types and labels."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.settings import Settings
from devtools.authenticator import Flaw, SoftAuthenticator
from main import create_app
from tests.conftest import StartService
from tests.operations.scraped import Scrape, scrape
from tests.support.service import JANE

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs/operations.md").read_text("utf-8")
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", re.MULTILINE)
# The document names these by their prefix alone: prometheus_client makes them.
PROCESS = "process_"


def documented() -> dict[str, tuple[str, frozenset[str]]]:
    return {
        name: (kind, frozenset(re.findall(r"`(\w+)`", labels)))
        for name, kind, labels in ROW.findall(DOCUMENT)
    }


def shown(found: Scrape) -> dict[str, tuple[str, frozenset[str]]]:
    """Names as a query has them, with types and labels."""
    names: dict[str, tuple[str, frozenset[str]]] = {}
    for family in found.families:
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        names[name] = (family.type, frozenset(labels))
    return names


@pytest.fixture
def everything(start_service: StartService) -> dict[str, tuple[str, frozenset[str]]]:
    """Each metric with a sample, on SQLite and on PostgreSQL with Redis (which need not be up)."""
    device, service = SoftAuthenticator(), start_service(rate_limit_email=6)
    service.register(device)
    service.try_login(device, flaw=Flaw(origin="https://evil.example"))
    for _ in range(7):
        service.post("/login/begin", {"email": JANE["email"]})
    shared = create_app(
        Settings(database_url="postgresql://127.0.0.1/none", redis_url="redis://127.0.0.1:1/0")
    )
    return shown(Scrape(shared.api.state.parts.metrics.text().decode())) | shown(scrape(service))


def test_the_document_has_every_metric_and_no_other(
    everything: dict[str, tuple[str, frozenset[str]]],
) -> None:
    ours = {name: kind for name, kind in everything.items() if not name.startswith(PROCESS)}
    assert documented() == ours
    assert f"`{PROCESS}" in DOCUMENT


def test_every_metric_has_a_help_text(start_service: StartService) -> None:
    assert all(family.documentation for family in scrape(start_service()).families)


def test_every_query_of_the_document_names_existing_metrics(
    everything: dict[str, tuple[str, frozenset[str]]],
) -> None:
    (queries,) = re.findall(r"```promql\n(.*?)```", DOCUMENT, re.DOTALL)
    used = set(re.findall(r"\b(?:passkeys|process)_\w+", queries))
    plain = {re.sub(r"_(bucket|count|sum)$", "", name) for name in used}
    assert used
    assert plain - everything.keys() == set()
