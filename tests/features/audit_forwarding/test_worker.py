"""Sinks get every row, in order, at least once: in normal operation and after faults."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from services.audit_forwarding.json_formats import ecs
from services.audit_forwarding.transports import Stdout
from services.audit_forwarding.worker import Schedule, SinkWorker
from stores.outbox import EventRow, PostgresOutbox, SqliteOutbox
from tests.features.audit_forwarding.receivers import TlsCollector, UdpCollector, id_of
from tests.support import production
from tests.support.app_log import until
from tests.support.process import free_port
from tests.support.service import Service

Start = Callable[..., Service]
# The service of a test shares this file with the next one of the same test.
AWAY, BACK = "is away", "is back"


def knock(service: Service, times: int = 1) -> list[int]:
    """Cause `times` events, up to 20 of them at once."""

    async def ask(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post("/login/begin", json={})

    waves = [min(20, times - sent) for sent in range(0, times, 20)]
    return [answer.status_code for wave in waves for answer in service.together([ask] * wave)]


def ids(service: Service) -> list[str]:
    """The id of every audit row, in the order of forwarding."""
    order = "rowid" if service.settings.uses_sqlite else "position"
    found = rows(service, f"SELECT id FROM audit_logs ORDER BY {order}")
    return [row["id"] for row in found]


def rows(service: Service, query: str) -> list[dict[str, Any]]:
    """The rows of a query, on a connection of its own."""
    url = service.settings.database_url
    if not url.startswith("sqlite"):
        return production.rows(url.rpartition("/")[2], query, ())
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10)) as connection:
        connection.row_factory = sqlite3.Row
        found = [dict(row) for row in connection.execute(query)]
        connection.commit()
        return found


def lines(service: Service, words: str) -> list[str]:
    file = service.folder / "app.log"
    text = file.read_text("ascii") if file.is_file() else ""
    return [line for line in text.splitlines() if words in line]


def state(service: Service) -> str:
    """The state of the first sink in /readyz. It never makes the service unready."""
    answer = service.get("/readyz")
    assert answer.status_code == 200
    said: str = answer.json()["parts"]["audit_sink_1"]
    return said


def without_repeats(found: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(found))


def test_every_event_arrives_over_tls_in_order(start: Start, collector: TlsCollector) -> None:
    service = start(audit_sink=(collector.url,), audit_sink_ca=collector.ca)
    assert knock(service, 100) == [200] * 100
    until(lambda: len(collector.messages) == 100)
    assert collector.ids() == ids(service)


def test_events_arrive_over_udp_one_in_each_datagram(start: Start) -> None:
    with UdpCollector() as collector:
        service = start(audit_sink=(collector.url,))
        knock(service, 10)
        assert [id_of(message) for message in collector.receive(10)] == ids(service)


def test_a_new_sink_gets_the_trail_from_its_first_row(
    start: Start, collector: TlsCollector
) -> None:
    """The sink also gets the rows from before it was configured."""
    knock(start(), 30)
    service = start(audit_sink=(collector.url,), audit_sink_ca=collector.ca)
    until(lambda: len(collector.messages) == 30)
    assert collector.ids() == ids(service)


def test_a_restart_sends_nothing_twice(
    backend: dict[str, str], collector: TlsCollector, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {**backend, "audit_sink": (collector.url,)}
    settings["audit_sink_ca"] = collector.ca
    with Service(tmp_path, **settings) as first:
        knock(first, 5)
        until(lambda: acknowledged(first) == ids(first)[-1])
    with Service(tmp_path, **settings) as second:
        knock(second, 3)
        until(lambda: len(collector.messages) >= 8)
        assert collector.ids() == ids(second)


def acknowledged(service: Service) -> str | None:
    found = rows(service, "SELECT row_id FROM audit_sinks")
    row_id: str | None = found[0]["row_id"] if found else None
    return row_id


def test_a_sink_that_was_away_catches_up(start: Start, collector: TlsCollector) -> None:
    """Requests succeed meanwhile. One log line says that the sink is away, one that it is back."""
    collector.stop()
    service = start(audit_sink=(collector.url,), audit_sink_ca=collector.ca)
    assert knock(service, 40) == [200] * 40
    until(lambda: len(lines(service, AWAY)) == 1)
    assert state(service).startswith("away (ConnectionRefusedError), ")
    collector.start()
    until(lambda: len(collector.messages) >= 40)
    until(lambda: len(lines(service, BACK)) == 1)
    assert without_repeats(collector.ids()) == ids(service)
    assert len(lines(service, AWAY)) == 1
    until(lambda: state(service) == "ok")


def test_a_sink_that_goes_between_two_events_loses_none(
    start: Start, collector: TlsCollector
) -> None:
    service = start(audit_sink=(collector.url,), audit_sink_ca=collector.ca)
    for _ in range(4):
        knock(service, 5)
        until(lambda: set(ids(service)) == set(collector.ids()))
        collector.stop()
        collector.start()
    assert without_repeats(collector.ids()) == ids(service)


def test_one_sink_that_is_away_holds_up_no_other(start: Start, collector: TlsCollector) -> None:
    collector.stop()
    with UdpCollector() as other:
        service = start(audit_sink=(collector.url, other.url), audit_sink_ca=collector.ca)
        knock(service, 3)
        assert [id_of(message) for message in other.receive(3)] == ids(service)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"], ids=["unknown", "another host's"])
def test_a_collector_that_proves_nothing_gets_nothing(
    start: Start, tmp_path: Path, host: str
) -> None:
    """One certificate is not signed by the CA, the other is signed for another host."""
    with TlsCollector(tmp_path / "one", host) as one, TlsCollector(tmp_path / "other") as other:
        ca = other.ca if host == "127.0.0.1" else one.ca
        service = start(audit_sink=(one.url,), audit_sink_ca=ca)
        knock(service, 3)
        until(lambda: state(service).startswith("away (SSLCertVerificationError)"))
        assert one.messages == []


def test_a_pipe_that_nobody_reads_stops_no_request(start: Start) -> None:
    """When a reader comes back, it gets every event, one in each line."""
    read, write = os.pipe()
    service = start(audit_sink=("stdout:ecs",))
    worker: SinkWorker = service.parts.audit_forwarding.workers[0]
    worker._sink = Stdout(ecs, write)
    assert knock(service, 300) == [200] * 300
    # More events than fit into the pipe.
    found = b""
    while found.count(b"\n") < 300:
        found += os.read(read, 65536)
    told = [json.loads(line)["event"]["id"] for line in found.splitlines()]
    assert without_repeats(told) == ids(service)
    os.close(read)


class Hesitant:
    """A sink that blocks until it is released. It keeps what it gets."""

    def __init__(self) -> None:
        self.go, self.asked = threading.Event(), False
        self.taken: list[str] = []

    def send(self, rows: Iterable[EventRow], deadline: float) -> None:
        self.asked = True
        assert self.go.wait(20)
        self.taken += [row.id for row in rows]

    def close(self) -> None:
        """There is no connection."""


def worker_of(service: Service, sink: Any, schedule: Schedule | None = None) -> SinkWorker:
    """The SinkWorker of a second process, over the same database."""
    sqlite = service.settings.uses_sqlite
    outbox = SqliteOutbox() if sqlite else PostgresOutbox()
    return SinkWorker(
        "syslog+udp://sink:514", sink, service.parts.db, outbox, schedule or Schedule()
    )


def begin(service: Service, worker: SinkWorker) -> Callable[[], None]:
    """Start the worker. The returned function ends it as `kill -9` would."""

    async def run() -> asyncio.Task[None]:
        return asyncio.create_task(worker.run())

    task = service.run(run())

    async def kill() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return lambda: service.run(kill())


def test_one_of_two_workers_ships_and_the_other_takes_over(start: Start) -> None:
    """The first dies within a batch: no row is lost, and the other waits for the lease."""
    service = start()
    knock(service, 10)
    dying, living = Hesitant(), Hesitant()
    living.go.set()
    schedule = Schedule(lease=2.0, lease_margin=0.5, poll=0.1)
    kill = begin(service, worker_of(service, dying, schedule))
    until(lambda: dying.asked)
    end = begin(service, worker_of(service, living, schedule))
    time.sleep(0.7)
    assert living.taken == []
    kill()
    until(lambda: len(living.taken) == 10)
    assert living.taken == ids(service)
    dying.go.set()
    end()


def test_a_worker_that_wakes_up_late_cannot_move_the_cursor(start: Start) -> None:
    """It slept in the middle of a batch, and another worker has taken over meanwhile."""
    service = start()
    knock(service, 5)
    late, prompt = Hesitant(), Hesitant()
    prompt.go.set()
    schedule = Schedule(lease=1.0, lease_margin=0.3, poll=0.1)
    ends = [begin(service, worker_of(service, late, schedule))]
    until(lambda: late.asked)
    ends.append(begin(service, worker_of(service, prompt, schedule)))
    until(lambda: len(prompt.taken) == 5)
    knock(service)
    until(lambda: len(prompt.taken) == 6)
    until(lambda: acknowledged(service) == ids(service)[-1])
    late.go.set()
    time.sleep(0.5)
    assert prompt.taken == ids(service)
    assert acknowledged(service) == ids(service)[-1]
    # Its batch may be sent twice, and nothing after it.
    assert late.taken == ids(service)[:5]
    for end in ends:
        end()


def test_a_commit_rings_and_nobody_waits_for_the_poll(start: Start) -> None:
    with UdpCollector() as collector:
        service = start(audit_sink=(collector.url,))
        (worker,) = service.parts.audit_forwarding.workers
        worker._schedule = Schedule(poll=60)
        # The poll under way may be a second long.
        time.sleep(1.5)
        for _ in range(3):
            knock(service)
            assert collector.receive(1)
        assert worker.behind <= 1


def test_no_sink_no_work(start: Start) -> None:
    """Without AUDIT_SINK no worker runs and no query is made."""
    service = start()
    assert service.parts.db.listeners == [service.parts.metrics.count_event]
    assert rows(service, "SELECT * FROM audit_sinks") == []
    assert service.get("/readyz").json()["parts"].keys() == {"database", "challenges", "log"}


def test_what_was_inserted_by_hand_is_shipped_too(start: Start, collector: TlsCollector) -> None:
    """No commit of the service wakes the worker: the poll finds the row."""
    service = start(audit_sink=(collector.url,), audit_sink_ca=collector.ca)
    rows(service, "INSERT INTO audit_logs (id, event_type, success) VALUES ('1', 'by_hand', 0)")
    until(lambda: collector.ids() == ["1"])


def test_a_port_where_nobody_listens_is_away_for_udp_too(start: Start) -> None:
    """The network reports the refusal, so the datagrams are sent again."""
    port = free_port()
    service = start(audit_sink=(f"syslog+udp://127.0.0.1:{port}",))
    knock(service, 3)
    until(lambda: len(lines(service, AWAY)) == 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
        late.bind(("127.0.0.1", port))
        late.settimeout(10)
        assert [id_of(late.recv(4096)) for _ in range(3)] == ids(service)


def test_a_transaction_that_stays_open_is_named(postgres_url: str, tmp_path: Path) -> None:
    """It delays forwarding, and /readyz says so."""
    with (
        UdpCollector() as collector,
        Service(
            tmp_path,
            database_url=postgres_url,
            redis_url=production.REDIS,
            audit_sink=(collector.url,),
        ) as service,
    ):

        async def leave_open() -> asyncpg.Connection:
            forgotten = await asyncpg.connect(postgres_url)
            await forgotten.execute("BEGIN; SELECT pg_current_xact_id()")
            return forgotten

        forgotten = service.run(leave_open())
        knock(service)
        until(lambda: state(service).startswith("waits for a transaction that is open"))
        service.run(forgotten.close())
        assert [id_of(message) for message in collector.receive(1)] == ids(service)
        until(lambda: state(service) == "ok")
