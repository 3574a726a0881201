"""`kill -9` while people log in: every login that was answered with 200 is on the disk."""

from __future__ import annotations

import random
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from assurance.support.forked_servers import Server, Servers, connect, forking
from devtools.authenticator import SoftAuthenticator
from tests.support.app_log import until
from tests.support.service import person

KILLS, PEOPLE = 30, 4


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with forking() as found:
        yield found


class Person(threading.Thread):
    """Logs in again and again until the server is killed; remembers the answers of 200."""

    def __init__(self, url: str, name: str, device: SoftAuthenticator) -> None:
        super().__init__(name=name, daemon=True)
        self._url, self._device = url, device
        self.email = f"{name}@example.com"
        self.answered: dict[str, int] = {}
        self.last_body: dict[str, Any] = {}
        self.surprises: list[str] = []

    def run(self) -> None:
        try:
            with connect(self._url) as client:
                while True:
                    self._log_in(client)
        except httpx.TransportError:
            return

    def _log_in(self, client: httpx.Client) -> None:
        options = client.post("/login/begin", json={"email": self.email}).json()["publicKey"]
        body = {"email": self.email, "assertion": self._device.get(options)}
        count = self._device.passkeys[-1].sign_count
        request_id = str(uuid.uuid4())
        answer = client.post("/login/complete", json=body, headers={"X-Request-ID": request_id})
        if answer.status_code == 200:
            self.answered[request_id] = count
            self.last_body = body
        else:
            self.surprises.append(answer.text)


def register(server: Server, name: str) -> SoftAuthenticator:
    device = SoftAuthenticator(origin=server.url)
    with connect(server.url) as client:
        form = person(name)
        options = client.post("/register/begin", json=form).json()["publicKey"]
        body = {"email": form["email"], "credential": device.create(options)}
        assert client.post("/register/complete", json=body).status_code == 201
    return device


def query(folder: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "app.db", timeout=5)) as connection:
        return connection.execute(statement).fetchall()


def assert_on_disk(folder: Path, people: list[Person]) -> None:
    """Every 200 has its audit row, and the sign count is at least the highest answered one."""
    rows = query(
        folder,
        "SELECT request_id, user_email FROM audit_logs "
        "WHERE event_type = 'login_complete' AND success = 1",
    )
    counts = dict(
        query(
            folder,
            "SELECT email, sign_count FROM users JOIN webauthn_credentials ON user_id = users.id",
        )
    )
    for someone in people:
        recorded = {request_id for request_id, email in rows if email == someone.email}
        assert someone.answered.keys() <= recorded
        assert counts[someone.email] >= max(someone.answered.values(), default=0)
    assert len(rows) == len({request_id for request_id, _ in rows})


def log_in_until_killed(
    server: Server, devices: dict[str, SoftAuthenticator], enough: int
) -> list[Person]:
    """Everybody logs in at once; after so many answers of 200 the server is killed."""
    people = [Person(server.url, name, device) for name, device in devices.items()]
    for someone in people:
        someone.start()
    until(lambda: sum(len(someone.answered) for someone in people) >= enough)
    server.kill()
    for someone in people:
        someone.join(10)
    assert [text for someone in people for text in someone.surprises] == []
    return people


def test_no_answered_login_is_lost_to_a_kill(servers: Servers, tmp_path: Path) -> None:
    """E1: thirty kills at random moments, on one database that is used again after each."""
    odd = random.Random(20_000)
    server = servers.make(tmp_path)
    server.start()
    server.wait()
    names = [f"person{number}" for number in range(PEOPLE)]
    devices = {name: register(server, name) for name in names}
    people: list[Person] = []
    for _ in range(KILLS):
        people = log_in_until_killed(server, devices, odd.randint(1, 12))
        assert_on_disk(tmp_path, people)
        server.start()
        server.wait()
    assert_nothing_is_replayed(server, people)
    assert query(tmp_path, "PRAGMA integrity_check") == [("ok",)]
    assert query(tmp_path, "SELECT count(*) FROM users") == [(PEOPLE,)]


def assert_nothing_is_replayed(server: Server, people: list[Person]) -> None:
    """A1 E1: an assertion that was used before the kill is refused after it."""
    bodies = [someone.last_body for someone in people if someone.last_body]
    assert bodies
    with connect(server.url) as client:
        for body in bodies:
            assert client.post("/login/complete", json=body).status_code == 401


def test_two_processes_may_start_on_one_fresh_database(servers: Servers, tmp_path: Path) -> None:
    """Two workers, or a rolling restart: both migrate, both serve, and the schema is made once."""
    pair = [servers.make(tmp_path), servers.make(tmp_path)]
    for server in pair:
        server.start()
    for server in pair:
        server.wait()
    for server in pair:
        with connect(server.url) as client:
            assert client.post("/login/begin", json={}).status_code == 200
    assert query(tmp_path, "SELECT count(*) FROM alembic_version") == [(1,)]
    assert query(tmp_path, "SELECT count(*) FROM audit_logs") == [(2,)]
    for server in pair:
        server.kill()
