"""`kill -9` between sending and acknowledging: duplicates are allowed, losses are not."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import httpx
import pytest

from assurance.support.forked_servers import Server, Servers, connect, forking
from services.audit_forwarding.worker import Schedule
from tests.features.audit_forwarding.receivers import TlsCollector
from tests.support import production
from tests.support.app_log import until

KILLS = 6


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with forking() as found:
        yield found


def knock_until_gone(server: Server, enough: int = 100_000) -> None:
    """Cause events, one after the other, as long as the server answers."""
    with suppress(httpx.TransportError), connect(server.url) as client:
        for _ in range(enough):
            assert client.post("/login/begin", json={}).status_code == 200


def in_background(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def on_disk(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "app.db", timeout=5)) as connection:
        rows = connection.execute("SELECT id FROM audit_logs ORDER BY rowid").fetchall()
    return [row[0] for row in rows]


def on_postgres(url: str) -> list[str]:
    database = url.rpartition("/")[2]
    rows = production.rows(database, "SELECT id FROM audit_logs ORDER BY position", ())
    return [row["id"] for row in rows]


def shoot_after(collector: TlsCollector, count: int, server: Server) -> threading.Event:
    """Kill the server while its collector reads the message with this number."""
    shot, left = threading.Event(), iter(range(count - 1, -1, -1))

    def shoot(_message: bytes) -> None:
        if next(left, None) == 0:
            server.kill()
            shot.set()

    collector.hook = shoot
    return shot


def forget_the_dead(folder: Path) -> None:
    """End the lease of the killed worker, as time would."""
    with closing(sqlite3.connect(folder / "app.db", timeout=5)) as connection:
        connection.execute("UPDATE audit_sinks SET held_until = NULL")
        connection.commit()


def test_kills_between_sending_and_acknowledging_lose_nothing(
    servers: Servers, collector: TlsCollector, tmp_path: Path
) -> None:
    """The collector causes the kill, in the middle of a batch that it receives."""
    odd = random.Random(5425)
    server = servers.make(
        tmp_path,
        AUDIT_SINK=collector.url,
        AUDIT_SINK_CA=str(collector.ca),
        DANGER_RATE_LIMITS_OFF="true",
    )
    for _ in range(KILLS):
        server.start()
        server.wait()
        knocking = in_background(lambda: knock_until_gone(server))
        shot = shoot_after(collector, odd.randint(1, 60), server)
        assert shot.wait(20)
        knocking.join(10)
        forget_the_dead(tmp_path)
    collector.hook = lambda message: None
    server.start()
    server.wait()
    knock_until_gone(server, 5)
    until(lambda: set(on_disk(tmp_path)) == set(collector.ids()))
    received = collector.ids()
    assert list(dict.fromkeys(received)) == on_disk(tmp_path)
    # Or no kill has come where it was meant to.
    assert len(received) > len(set(received))
    server.kill()


def test_of_two_workers_one_ships_and_if_it_dies_the_other_does(
    servers: Servers, collector: TlsCollector, tmp_path: Path, postgres_url: str
) -> None:
    """While both live, no row is sent twice. After a kill, no row is missing."""
    settings = {
        "DATABASE_URL": postgres_url,
        "REDIS_URL": production.REDIS,
        "AUDIT_SINK": collector.url,
        "AUDIT_SINK_CA": str(collector.ca),
        "DANGER_RATE_LIMITS_OFF": "true",
    }
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    one, other = (servers.make(folder, **settings) for folder in folders)
    one.start()
    one.wait()
    knock_until_gone(one, 3)
    until(lambda: len(collector.messages) >= 3)
    # From here on the first is the one who ships, as long as there is something to ship.
    other.start()
    other.wait()
    both = [in_background(partial(knock_until_gone, server, 150)) for server in (one, other)]
    for knocking in both:
        knocking.join(30)
    until(lambda: len(collector.messages) >= 303)
    assert collector.ids() == on_postgres(postgres_url)

    knocking = in_background(partial(knock_until_gone, one))
    until(lambda: len(collector.messages) > 320)
    one.kill()
    knocking.join(10)
    knock_until_gone(other, 20)
    killed = time.monotonic()
    until(lambda: set(on_postgres(postgres_url)) == set(collector.ids()))
    assert time.monotonic() - killed < Schedule().lease + 5
    assert list(dict.fromkeys(collector.ids())) == on_postgres(postgres_url)
    other.kill()
