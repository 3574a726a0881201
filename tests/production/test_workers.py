"""Several workers behind one port: each of them answers a scrape for all."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from prometheus_client.multiprocess import MultiProcessCollector

from devtools.authenticator import SoftAuthenticator
from tests.operations.scraped import Scrape
from tests.support import production
from tests.support.app_log import until
from tests.support.process import running_server
from tests.support.service import JANE

ORIGIN = "http://localhost:8000"
LOGINS = "passkeys_ceremonies"
LABELS = {"kind": "login_complete", "outcome": "success"}
COUNTED = f"{LOGINS}_total"


@dataclass
class Workers:
    """A server with two workers, and Jane's passkey."""

    url: str
    files: Path
    device: SoftAuthenticator
    logins: int = 0

    def post(self, path: str, body: object) -> httpx.Response:
        """Over a connection of its own, which either worker may take."""
        return httpx.post(f"{self.url}{path}", json=body, timeout=30)

    def register(self) -> None:
        options = self.post("/register/begin", JANE).json()["publicKey"]
        body = {"email": JANE["email"], "credential": self.device.create(options)}
        assert self.post("/register/complete", body).status_code == 201

    def log_in(self, _number: int = 0) -> None:
        options = self.post("/login/begin", {"email": JANE["email"]}).json()["publicKey"]
        body = {"email": JANE["email"], "assertion": self.device.get(options)}
        assert self.post("/login/complete", body).status_code == 200

    def log_in_often(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self.log_in, range(16)))
        self.logins += 16

    def scrape(self) -> Scrape:
        answer = httpx.get(f"{self.url}/metrics", timeout=30)
        assert answer.status_code == 200
        return Scrape(answer.text)

    def pids(self) -> set[int]:
        """The workers that live, as a scrape shows them."""
        return {int(value) for name, value in self.scrape().labels() if name == "pid"}

    def logins_of(self, pid: int) -> float:
        """What one worker has counted by itself."""
        families = MultiProcessCollector.merge([str(self.files / f"counter_{pid}.db")])  # type: ignore[no-untyped-call]
        return sum(
            float(sample.value)
            for family in families
            for sample in family.samples
            if family.name == LOGINS and sample.labels == LABELS
        )


@pytest.fixture
def workers(tmp_path: Path, database: str) -> Iterator[Workers]:
    environment = {
        "ORIGIN": ORIGIN,
        "DATABASE_URL": database,
        "REDIS_URL": production.REDIS,
        "DANGER_RATE_LIMITS_OFF": "true",
        "WEB_CONCURRENCY": "2",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
    }
    # What an earlier run left behind counts no more.
    files = tmp_path / "metrics"
    files.mkdir()
    (files / "gauge_livesum_999999999.db").write_bytes(b"")
    with running_server(tmp_path, **environment) as url:
        assert not (files / "gauge_livesum_999999999.db").exists()
        yield Workers(url, files, SoftAuthenticator(counter=False))


def test_one_scrape_counts_the_logins_of_all_workers(workers: Workers) -> None:
    until(lambda: len(workers.pids()) == 2)
    workers.register()
    one, other = workers.pids()
    while not (workers.logins_of(one) and workers.logins_of(other)):
        assert workers.logins < 1000, "one worker gets no request"
        workers.log_in_often()
    assert workers.logins_of(one) + workers.logins_of(other) == workers.logins
    for _ in range(10):
        found = workers.scrape()
        assert found.value(COUNTED, **LABELS) == workers.logins
        route = {"route": "/login/complete", "status": "2xx"}
        assert found.value("passkeys_request_duration_seconds_count", **route) == workers.logins
        # Two workers may hold a hundred connections each.
        assert found.value("passkeys_redis_pool_size") == 200


def test_a_worker_that_is_killed_keeps_its_counts_and_loses_its_gauges(workers: Workers) -> None:
    until(lambda: len(workers.pids()) == 2)
    workers.register()
    workers.log_in_often()
    before = workers.pids()
    killed = max(before)
    os.kill(killed, signal.SIGKILL)
    # uvicorn starts another worker in its place.
    until(lambda: len(workers.pids() - before) == 1 and killed not in workers.pids())
    found = workers.scrape()
    assert found.value(COUNTED, **LABELS) == workers.logins
    assert found.value("passkeys_redis_pool_size") == 200
    workers.log_in_often()
    assert workers.scrape().value(COUNTED, **LABELS) == workers.logins
