"""The probes: alive means that the process answers, ready that ceremonies can be held."""

from __future__ import annotations

import pytest

from core.errors import Unavailable
from tests.conftest import StartService
from tests.support.service import Service


def test_a_running_service_is_alive_and_ready(service: Service) -> None:
    assert service.get("/livez").json() == {"status": "alive"}
    answer = service.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "parts": {"database": "ok", "challenges": "ok", "log": "ok"},
    }


def test_a_database_of_another_revision_is_not_ready(service: Service) -> None:
    """The reason says which one it is at, and which one is needed."""
    service.rows("UPDATE alembic_version SET version_num = '0000'")
    answer = service.get("/readyz")
    assert answer.status_code == 503
    assert "the schema is at 0000" in answer.json()["parts"]["database"]
    assert service.get("/livez").status_code == 200


def test_a_part_that_is_away_is_named(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """E4: ready again as soon as it is back."""

    async def away() -> None:
        raise Unavailable("ConnectionError")

    with monkeypatch.context() as broken:
        broken.setattr(service.parts.challenges, "check", away)
        answer = service.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["parts"]["challenges"] == "away (ConnectionError)"
    assert service.get("/readyz").status_code == 200


def test_lost_log_lines_are_said_and_hinder_nobody(service: Service) -> None:
    """E2: the log alone degrades health and loses no login."""
    service.parts.log_file.handler.lines_lost = 7
    answer = service.get("/readyz")
    assert (answer.status_code, answer.json()["parts"]["log"]) == (200, "7 lines lost")


def test_production_serves_no_docs(start_service: StartService) -> None:
    service = start_service(serve_docs=False)
    for path in ("/docs", "/openapi.json", "/redoc"):
        assert service.get(path).status_code == 404
