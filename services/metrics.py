"""What Prometheus is told: numbers that lie ready in the parts, put into its format when asked.

No label holds anything a person sent: kinds, outcomes, reasons, route templates and actions are
words of this service. docs/operations.md says what each number means.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from itertools import accumulate
from typing import Protocol

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

import audit
from core.measured import BUCKETS, Durations, Requests
from services.rate_limits import Throttle

PREFIX = "passkeys_"
CEREMONIES = (
    "registration_begin",
    "registration_complete",
    "login_begin",
    "login_complete",
    "user_access",
)
OUTCOMES = ("refused", "success")
BOUNDS = [*map(str, BUCKETS), "+Inf"]
GAUGES = {
    "challenges_waiting": "Begun ceremonies in this process's memory",
    "writer_queue_length": "Units of work that wait for SQLite's writer",
    "pool_size": "Connections to PostgreSQL that this process may hold",
    "pool_checked_out": "Connections to PostgreSQL that are at work",
    "redis_pool_size": "Connections to Redis that this process may hold",
    "redis_pool_in_use": "Connections to Redis that are at work",
    "log_queue_length": "Lines that wait for the log file",
}
COUNTERS = {
    "writer_batches": "Commits of SQLite's writer",
    "writer_units": "Units of work in those commits",
    "log_lines_lost": "Lines that the log file did not take; their rows are in the database",
}


class Measured(Protocol):
    """A part that knows how it does."""

    def figures(self) -> dict[str, int]:
        """Numbers by their names in GAUGES and COUNTERS."""
        ...


class Metrics(Collector):
    """The numbers of one service; `labels` go to `build_info`."""

    def __init__(
        self,
        *parts: Measured,
        requests: Requests,
        throttle: Throttle,
        labels: dict[str, str],
    ) -> None:
        self._parts, self._requests, self._throttle = parts, requests, throttle
        self._labels = {**labels, "python": platform.python_version(), "pid": str(os.getpid())}
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """The Prometheus text format, version 0.0.4."""
        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Nothing beforehand: the registry would collect to find out."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            f"{PREFIX}build", "What runs here, and in which process", self._labels
        )
        yield self._ceremonies()
        yield self._refusals()
        yield self._rate_limited()
        yield self._durations()
        for part in self._parts:
            for name, value in part.figures().items():
                yield _figure(name, value)

    def _ceremonies(self) -> Metric:
        family = CounterMetricFamily(
            f"{PREFIX}ceremonies", "Decisions on record", labels=("kind", "outcome")
        )
        found = dict.fromkeys(((kind, success) for kind in CEREMONIES for success in (0, 1)), 0)
        for (kind, success, _), count in audit.recorded.copy().items():
            if (kind, success) in found:
                found[kind, success] += count
        for (kind, success), count in found.items():
            family.add_metric((kind, OUTCOMES[success]), count)
        return family

    def _refusals(self) -> Metric:
        family = CounterMetricFamily(
            f"{PREFIX}refusals", "Refusals on record, by reason", labels=("kind", "reason")
        )
        # The one that somebody is called for is there before it happens: `increase` must see it.
        found = {(audit.CloneSuspected.event_type, audit.CloneSuspected.reason or ""): 0}
        for (kind, success, reason), count in audit.recorded.copy().items():
            # Of those there is one row per window; all of them are counted below.
            if not success and kind != audit.RateLimited.event_type:
                found[kind, reason or ""] = count
        for key, count in found.items():
            family.add_metric(key, count)
        return family

    def _rate_limited(self) -> Metric:
        family = CounterMetricFamily(
            f"{PREFIX}rate_limited", "Requests over a rate limit", labels=("action", "limit")
        )
        for key, count in self._throttle.refused.items():
            family.add_metric(key, count)
        return family

    def _durations(self) -> Metric:
        family = HistogramMetricFamily(
            f"{PREFIX}request_duration_seconds",
            "From a request's head to the end of its answer",
            labels=("route", "status"),
        )
        for (route, digit), found in self._requests.found().items():
            status = f"{digit}xx" if digit else "none"
            family.add_metric((route, status), _buckets(found), found.seconds)
        return family


def _buckets(found: Durations) -> list[tuple[str, float]]:
    return list(zip(BOUNDS, accumulate(found.counts), strict=True))


def _figure(name: str, value: int) -> Metric:
    if name in GAUGES:
        return GaugeMetricFamily(PREFIX + name, GAUGES[name], value)
    return CounterMetricFamily(PREFIX + name, COUNTERS[name], value)
