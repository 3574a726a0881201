"""The Prometheus metrics of one application. docs/operations.md says what each of them means.

No label holds anything that a client sent: kinds, outcomes, reasons, route templates and actions
are words of this service.

With PROMETHEUS_MULTIPROC_DIR set, the workers of one server keep their values in files of that
directory, and each of them answers a scrape with the sum over all. services/metrics_files.py
manages the files.
"""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

import audit
from services import metrics_files

# Otherwise each counter gets a second series, with the time of its creation.
disable_created_metrics()  # type: ignore[no-untyped-call]

PREFIX = "passkeys_"
OUTCOMES = ("refused", "success")
# The outcomes of each kind. A login is begun for every email alike, so it has one: who reads the
# counters must not see who is registered.
CEREMONIES = {
    "registration_begin": OUTCOMES,
    "registration_complete": OUTCOMES,
    "login_begin": ("success",),
    "login_complete": OUTCOMES,
    "user_access": OUTCOMES,
}
# The reasons for a refused login that do not depend on whether the account or the passkey exists;
# only its owner's passkey can cause `possible_clone`. All others are counted as `credential`.
PUBLIC_LOGIN_REASONS = {"no_ceremony", "other_ceremony", audit.CloneSuspected.reason}
# The decoy of an unknown email is refused like the passkey of a known one, and counted like it.
COUNTED_AS = {"credential_decoy": "credential_taken"}
# The names in a component's `metrics()` whose values can fall, with their help texts.
GAUGES = {
    "challenges_waiting": "Begun ceremonies in this process's memory",
    "writer_queue_length": "Units of work that wait for SQLite's writer",
    "pool_size": "Connections to PostgreSQL that this process may hold",
    "pool_checked_out": "Connections to PostgreSQL that are at work",
    "redis_pool_size": "Connections to Redis that this process may hold",
    "log_queue_length": "Lines that wait for the log file",
}
# The names whose values only grow.
COUNTERS = {
    "writer_batches": "Commits of SQLite's writer",
    "writer_units": "Units of work in those commits",
    "log_lines_lost": "Lines that the log file did not take; their rows are in the database",
}
# How old a gauge of another worker may be when one of them is scraped.
PUBLISH_SECONDS = 5


class Instrumented(Protocol):
    """A component that counts its own work."""

    def metrics(self) -> dict[str, int]:
        """Its present values, by names of GAUGES and COUNTERS."""
        ...


class Metrics:
    """A registry of its own for each application; `labels` go to `passkeys_build_info`."""

    def __init__(self, *components: Instrumented, labels: Mapping[str, str]) -> None:
        self.registry = CollectorRegistry()
        self._components = [_Published(each, self.registry) for each in components]
        self._labels = {**labels, "python": platform.python_version(), "pid": str(os.getpid())}
        self._build = _gauge("build_info", "The version that runs", self.registry, *self._labels)
        self._ceremonies = _counter(
            "ceremonies", "Decisions on record", self.registry, "kind", "outcome"
        )
        # `rate` needs a series before its first event: make all of them now.
        self._by_outcome = {
            (kind, outcome): self._ceremonies.labels(kind, outcome)
            for kind, outcomes in CEREMONIES.items()
            for outcome in outcomes
        }
        self._refusals = _counter(
            "refusals", "Refusals on record, by reason", self.registry, "kind", "reason"
        )
        # An alert watches this one: `increase` does not see a series whose first value is 1.
        self._refusals.labels(audit.CloneSuspected.event_type, audit.CloneSuspected.reason)
        self._rate_limited = _counter(
            "rate_limited", "Requests over a rate limit", self.registry, "action", "limit"
        )
        self._scraped = self.registry
        if metrics_files.directory():
            # Values of other processes are in their files, and not in this registry.
            self._scraped = CollectorRegistry()
            MultiProcessCollector(self._scraped)  # type: ignore[no-untyped-call]
        else:
            ProcessCollector(registry=self.registry)
        self._task: asyncio.Task[None] | None = None

    def count_event(self, row: Mapping[str, Any]) -> None:
        """Count one durable row of the audit trail. A listener of the database: any thread."""
        kind, refused = row["event_type"], not row["success"]
        if kind == audit.LoginBegun.event_type:
            refused = False
        if series := self._by_outcome.get((kind, OUTCOMES[not refused])):
            series.inc()
        # Rate limits have one row per window: `count_rate_limited` counts each request.
        if refused and kind != audit.RateLimited.event_type:
            self._refusals.labels(kind, _public_reason(kind, row["reason"] or "")).inc()

    def count_rate_limited(self, action: str, limit: str) -> None:
        """Count one request that was over a rate limit."""
        self._rate_limited.labels(action, limit).inc()

    def text(self) -> bytes:
        """The Prometheus text format, version 0.0.4."""
        self._publish()
        if self._scraped is not self.registry:
            metrics_files.drop_gauges_of_dead_workers()
        return generate_latest(self._scraped)

    def start(self) -> None:
        """With several workers, keep the gauges fresh that another worker shows for this one."""
        self._publish()
        if self._scraped is not self.registry:
            self._task = asyncio.create_task(self._publish_forever())

    async def stop(self) -> None:
        """End the task, and drop the gauges of this worker."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            metrics_files.drop_own_gauges()

    async def _publish_forever(self) -> None:
        while True:
            await asyncio.sleep(PUBLISH_SECONDS)
            self._publish()

    def _publish(self) -> None:
        self._build.labels(**self._labels).set(1)
        for component in self._components:
            component.publish()


class _Published:
    """The instruments of one component, brought up to date from its `metrics()`."""

    def __init__(self, component: Instrumented, registry: CollectorRegistry) -> None:
        self._component, self._counted = component, dict.fromkeys(COUNTERS, 0)
        names = component.metrics().keys()
        self._gauges = {
            name: _gauge(name, text, registry) for name, text in GAUGES.items() if name in names
        }
        self._counters = {
            name: _counter(name, text, registry) for name, text in COUNTERS.items() if name in names
        }

    def publish(self) -> None:
        values = self._component.metrics()
        for name, gauge in self._gauges.items():
            gauge.set(values[name])
        for name, counter in self._counters.items():
            counter.inc(values[name] - self._counted[name])
            self._counted[name] = values[name]


def _public_reason(kind: str, reason: str) -> str:
    """The reason as the metrics show it: the same for a known and an unknown email."""
    if kind == audit.LoginRefused.event_type and reason not in PUBLIC_LOGIN_REASONS:
        return "credential"
    return COUNTED_AS.get(reason, reason)


def _counter(name: str, text: str, registry: CollectorRegistry, *labels: str) -> Counter:
    return Counter(PREFIX + name, text, labels, registry=registry)


def _gauge(name: str, text: str, registry: CollectorRegistry, *labels: str) -> Gauge:
    # Over the workers that live, gauges are added up; those with a pid are shown one by one.
    return Gauge(
        PREFIX + name,
        text,
        labels,
        registry=registry,
        multiprocess_mode="liveall" if "pid" in labels else "livesum",
    )
