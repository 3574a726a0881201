"""Twenty backups of a server under 100 logins a second, each restored and served."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from assurance.support.forked_servers import connect
from cli.__main__ import main
from cli.backup.database_file import examine
from devtools.authenticator import SoftAuthenticator
from tests.support.process import running_server
from tests.support.service import Service, person

pytestmark = pytest.mark.sqlite
BACKUPS, LOGINS_BETWEEN, CLIENTS, PER_SECOND = 20, 20, 4, 100
BACKUP_SECONDS, PATIENCE_SECONDS = 20, 60
AUDIT_ROWS = 20_000
# As many rows as weeks of service write: a copy takes longer than the time between two commits.
FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO audit_logs (id, event_type, ip_address, user_agent, success, details, created_at)
SELECT 'filler-' || i, 'login_begin', '203.0.113.7', hex(randomblob(100)), 1, 'x', '2026-01-01'
FROM n
"""


class Load:
    """People who log in, and others who register, until told to stop."""

    def __init__(self, url: str) -> None:
        self._url, self._over = url, threading.Event()
        self.answered: list[tuple[str, SoftAuthenticator]] = []  # registrations, in their order
        self.logins = [0] * CLIENTS
        self.faults: list[str] = []
        work = [lambda n=n: self._keep_logging_in(n) for n in range(CLIENTS)]
        self._threads = [
            threading.Thread(target=self._guarded, args=(each,), daemon=True)
            for each in (*work, self._keep_registering)
        ]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def wait_for_logins(self, count: int) -> None:
        enough, deadline = sum(self.logins) + count, time.monotonic() + PATIENCE_SECONDS
        while sum(self.logins) < enough:
            assert time.monotonic() < deadline, self.faults
            time.sleep(0.005)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            self.faults.append(repr(error))

    def _register(self, client: httpx.Client, name: str) -> SoftAuthenticator:
        device, form = SoftAuthenticator(origin=self._url), person(name)
        options = client.post("/register/begin", json=form).json()["publicKey"]
        body = {"email": form["email"], "credential": device.create(options)}
        assert client.post("/register/complete", json=body).status_code == 201
        self.answered.append((form["email"], device))
        return device

    def _keep_registering(self) -> None:
        with connect(self._url) as client:
            while not self._over.wait(0.2):
                self._register(client, f"new{len(self.answered)}")

    def _keep_logging_in(self, number: int) -> None:
        email = f"client{number}@example.com"
        with connect(self._url) as client:
            device, due = self._register(client, f"client{number}"), time.monotonic()
            while not self._over.is_set():
                options = client.post("/login/begin", json={"email": email}).json()["publicKey"]
                body = {"email": email, "assertion": device.get(options)}
                assert client.post("/login/complete", json=body).status_code == 200
                self.logins[number] += 1
                due += CLIENTS / PER_SECOND
                time.sleep(max(0.0, due - time.monotonic()))


def back_up(database: Path, file: Path) -> float:
    """Take a backup; returns the seconds it took."""
    begin = time.monotonic()
    assert main(["backup", str(file)], {"DATABASE_URL": f"sqlite:///{database}"}) == 0
    return time.monotonic() - begin


def assert_serves(file: Path, folder: Path, people: list[tuple[str, SoftAuthenticator]]) -> None:
    """The file is good, and everyone logs in at a service that it was restored to."""
    folder.mkdir()
    database = folder / "app.db"
    assert main(["restore", str(file)], {"DATABASE_URL": f"sqlite:///{database}"}) == 0
    assert examine(database).accounts >= len(people)
    with Service(folder, origin=people[0][1].origin, danger_rate_limits_off=True) as service:
        for email, device in people:
            assert service.try_login(device, email).status_code == 200, email


def test_twenty_backups_under_load_end_and_serve_everyone_who_was_answered(tmp_path: Path) -> None:
    served = tmp_path / "served"
    served.mkdir()
    taken: list[tuple[Path, list[tuple[str, SoftAuthenticator]]]] = []
    durations = []
    with running_server(served, DANGER_RATE_LIMITS_OFF="true") as url:
        with closing(sqlite3.connect(served / "app.db", timeout=30)) as connection, connection:
            connection.execute(FILL, (AUDIT_ROWS,))
        with Load(url) as load:
            load.wait_for_logins(LOGINS_BETWEEN)
            before, begin = sum(load.logins), time.monotonic()
            for number in range(BACKUPS):
                file, answered = tmp_path / f"{number}.db", list(load.answered)
                durations.append(back_up(served / "app.db", file))
                taken.append((file, answered))
                load.wait_for_logins(LOGINS_BETWEEN)
            rate = (sum(load.logins) - before) / (time.monotonic() - begin)
    assert load.faults == []
    assert max(durations) < BACKUP_SECONDS
    print(f"{rate:.0f} logins/s, backups of {max(durations):.2f} s at most")
    assert len(taken[-1][1]) > len(taken[0][1])
    for number, (file, answered) in enumerate(taken):
        assert_serves(file, tmp_path / f"restored-{number}", answered)
