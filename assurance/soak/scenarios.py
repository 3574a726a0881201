"""Every scenario by name: its backend, its settings, and its amount of work, short or full."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from assurance.soak import audit_table, disks, flood, kills, outages, processes, writers
from assurance.soak.backends import Backend, Sqlite, production
from assurance.soak.report import Report
from assurance.support.forked_servers import forking

SQLITE, PRODUCTION = "sqlite", "production"


@dataclass(frozen=True)
class Scenario:
    """`run` receives a report, a backend, a running server, and the amount of work."""

    backend: str
    run: Callable[..., None]
    amount: str
    short: int
    full: int
    settings: Callable[[int], Mapping[str, str]] = field(default=lambda _amount: {})


def _small_store(requests: int) -> Mapping[str, str]:
    return {"PENDING_CEREMONIES": str(max(100, requests // 5))}


def _limits(requests: int) -> Mapping[str, str]:
    """Rate limits, behind a proxy whose header tells the attacker's address from the visitor's."""
    return {
        "DANGER_RATE_LIMITS_OFF": "false",
        "RATE_LIMIT_ADDRESS": str(min(1200, requests // 2)),
        "TRUSTED_PROXIES": "127.0.0.1/32",
    }


def _outage(kind: Callable[..., Any], short: int) -> Scenario:
    return Scenario(PRODUCTION, partial(outages.survive, outages=kind), "rounds", short, 50)


_FLOOD = partial(flood.begins, limited=False)
SCENARIOS: dict[str, Scenario] = {
    "kill-logins-sqlite": Scenario(SQLITE, kills.during_logins, "kills", 6, 200),
    "kill-registrations-sqlite": Scenario(SQLITE, kills.during_registrations, "kills", 4, 100),
    "kill-logins-production": Scenario(PRODUCTION, kills.during_logins, "kills", 4, 200),
    "kill-registrations-production": Scenario(
        PRODUCTION, kills.during_registrations, "kills", 4, 100
    ),
    "audit-table-sqlite": Scenario(SQLITE, audit_table.unwritable, "tries", 3, 100),
    "audit-table-production": Scenario(PRODUCTION, audit_table.unwritable, "tries", 3, 100),
    "full-disk": Scenario(SQLITE, disks.full_disk, "rounds", 2, 20),
    "log-file": Scenario(
        SQLITE, disks.log_file, "logins", 20, 1000, lambda _: {"LOG_FILE": "/dev/full"}
    ),
    "writers": Scenario(SQLITE, writers.many_writers, "logins", 200, 10_000),
    "postgres-restarts": _outage(outages.postgres_restarts, 2),
    "redis-flushes": _outage(outages.redis_flushes, 3),
    "redis-restarts": _outage(outages.redis_restarts, 2),
    "hung-postgres": Scenario(PRODUCTION, partial(outages.hang, frozen="postgres"), "rounds", 1, 5),
    "hung-redis": Scenario(PRODUCTION, partial(outages.hang, frozen="redis"), "rounds", 1, 10),
    "flood-sqlite": Scenario(SQLITE, _FLOOD, "requests", 800, 10_000, _small_store),
    "flood-production": Scenario(PRODUCTION, _FLOOD, "requests", 400, 10_000, _small_store),
    "flood-limited": Scenario(
        SQLITE, partial(flood.begins, limited=True), "requests", 800, 10_000, _limits
    ),
    "full-redis": Scenario(PRODUCTION, flood.full_redis, "requests", 400, 2000),
    "processes": Scenario(PRODUCTION, processes.races, "rounds", 2, 500),
}


def run(name: str, *, full: bool) -> Report:
    """One scenario from start to end, in a temporary folder."""
    scenario, report = SCENARIOS[name], Report(name, judges_time=full)
    amount = scenario.full if full else scenario.short
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        backend: Backend = Sqlite(folder)
        if scenario.backend == PRODUCTION:
            backend = stack.enter_context(production(folder))
        settings = {"DANGER_RATE_LIMITS_OFF": "true", **backend.settings}
        settings |= scenario.settings(amount)
        server = stack.enter_context(forking()).make(folder, **settings)
        server.start_and_wait()
        scenario.run(report, backend, server, **{scenario.amount: amount})
    return report
