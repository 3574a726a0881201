"""Every scenario by name: where it runs, and how much of it is short or full."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assurance.soak import disks, flood, kills, outages, processes, unwritable, writers
from assurance.soak.backends import Backend, Production, production, sqlite
from assurance.soak.report import Report
from assurance.support.forked_servers import Server, forking

NO_LIMITS = {"DANGER_RATE_LIMITS_OFF": "true"}


@dataclass(frozen=True)
class Scenario:
    """`run` gets a report, a backend, a server that is not started, and the amount."""

    backend: str
    run: Callable[..., None]
    short: dict[str, Any]
    full: dict[str, Any]


def _outage(kind: Callable[[Production], Iterator[outages.Outage]]) -> Callable[..., None]:
    def run(report: Report, backend: Production, server: Server, *, rounds: int) -> None:
        outages.survive(report, backend, server, kind(backend), rounds=rounds)

    return run


def _full_disk(report: Report, _backend: Backend, server: Server, *, rounds: int) -> None:
    """The database is on the small disk, the log with it."""
    with disks.small_disk(server.folder) as disk, sqlite(disk or server.folder) as small:
        files = {"LOG_FILE": str((disk or server.folder) / "app.log"), **small.settings}
        server.set(**files)
        disks.full_disk(report, small, server, rounds=rounds, disk=disk)


def _log_file(report: Report, backend: Backend, server: Server, *, logins: int) -> None:
    server.set(LOG_FILE="/dev/full")
    disks.log_file(report, backend, server, logins=logins)


def _flood(report: Report, backend: Backend, server: Server, *, requests: int) -> None:
    server.set(PENDING_CEREMONIES=str(max(100, requests // 5)))
    flood.begins(report, backend, server, requests=requests, limited=False)


def _limited_flood(report: Report, backend: Backend, server: Server, *, requests: int) -> None:
    """As it is by default, behind a proxy that tells two addresses apart."""
    allowed = str(min(1200, requests // 2))
    limits = {"DANGER_RATE_LIMITS_OFF": "false", "RATE_LIMIT_ADDRESS": allowed}
    server.set(**limits, TRUSTED_PROXIES="127.0.0.1/32")
    flood.begins(report, backend, server, requests=requests, limited=True)


def _processes(report: Report, backend: Production, server: Server, *, rounds: int) -> None:
    processes.races(report, backend, server.folder, rounds=rounds)


SCENARIOS: dict[str, Scenario] = {
    "kill-logins-sqlite": Scenario("sqlite", kills.during_logins, {"kills": 6}, {"kills": 200}),
    "kill-registrations-sqlite": Scenario(
        "sqlite", kills.during_registrations, {"kills": 4}, {"kills": 100}
    ),
    "kill-logins-production": Scenario(
        "production", kills.during_logins, {"kills": 4}, {"kills": 200}
    ),
    "kill-registrations-production": Scenario(
        "production", kills.during_registrations, {"kills": 4}, {"kills": 100}
    ),
    "audit-table-sqlite": Scenario("sqlite", unwritable.audit_table, {"tries": 3}, {"tries": 100}),
    "audit-table-production": Scenario(
        "production", unwritable.audit_table, {"tries": 3}, {"tries": 100}
    ),
    "full-disk": Scenario("sqlite", _full_disk, {"rounds": 2}, {"rounds": 20}),
    "log-file": Scenario("sqlite", _log_file, {"logins": 20}, {"logins": 1000}),
    "writers": Scenario("sqlite", writers.many_writers, {"logins": 200}, {"logins": 10_000}),
    "postgres-restarts": Scenario(
        "production", _outage(outages.postgres_outages), {"rounds": 2}, {"rounds": 50}
    ),
    "redis-flushes": Scenario(
        "production", _outage(outages.redis_flushes), {"rounds": 3}, {"rounds": 50}
    ),
    "redis-restarts": Scenario(
        "production", _outage(outages.redis_restarts), {"rounds": 2}, {"rounds": 50}
    ),
    "hung-postgres": Scenario(
        "production",
        lambda *given, **how: outages.hang(*given, **how, who="postgres"),
        {"rounds": 1},
        {"rounds": 5},
    ),
    "hung-redis": Scenario(
        "production",
        lambda *given, **how: outages.hang(*given, **how, who="redis"),
        {"rounds": 1},
        {"rounds": 10},
    ),
    "flood-sqlite": Scenario("sqlite", _flood, {"requests": 800}, {"requests": 10_000}),
    "flood-production": Scenario("production", _flood, {"requests": 400}, {"requests": 10_000}),
    "flood-limited": Scenario("sqlite", _limited_flood, {"requests": 800}, {"requests": 10_000}),
    "full-redis": Scenario("production", flood.full_redis, {"requests": 400}, {"requests": 2000}),
    "processes": Scenario("production", _processes, {"rounds": 2}, {"rounds": 500}),
}


@contextmanager
def _places(backend: str) -> Iterator[tuple[Backend, Server]]:
    """A folder with a backend, and a server over it; all of it is gone at the end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        made: Backend
        if backend == "sqlite":
            made = stack.enter_context(sqlite(folder))
        else:
            made = stack.enter_context(production(folder))
        servers = stack.enter_context(forking())
        yield made, servers.make(folder, **NO_LIMITS, **made.settings)


def run(name: str, *, full: bool) -> Report:
    """One scenario from start to end."""
    scenario, report = SCENARIOS[name], Report(name)
    with _places(scenario.backend) as (backend, server):
        scenario.run(report, backend, server, **(scenario.full if full else scenario.short))
    return report
