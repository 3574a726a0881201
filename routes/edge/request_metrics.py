"""How long requests took, by route template and class of status."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Histogram
from starlette.types import Message, Scope

# Upper bounds in seconds. A ceremony takes milliseconds; waiting for a server takes seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
STATIC, UNMATCHED = "/static", "unmatched"


def template_of(scope: Scope) -> str:
    """The route's template, such as ``/users/{user_id}``.

    Never a path: clients can make up any number of paths, and each would be a series of its own.
    """
    route = scope.get("route")
    if route is not None:
        path: str = route.path
        return path
    # The mounted folder of static files is an endpoint without a route.
    return STATIC if "endpoint" in scope else UNMATCHED


def status_of(start: Message | None) -> int:
    """The status of an ASGI `http.response.start` message; 0 if none was sent."""
    status: int = start["status"] if start else 0
    return status


class RequestMetrics:
    """The histogram `passkeys_request_duration_seconds` in an application's registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._durations = Histogram(
            "passkeys_request_duration_seconds",
            "From a request's head to the end of its answer",
            ("route", "status"),
            buckets=BUCKETS,
            registry=registry,
        )
        # `labels()` takes twice as long as `observe()`: keep what it returned.
        self._series: dict[tuple[str, int], Histogram] = {}

    def observe(self, scope: Scope, start: Message | None, seconds: float) -> None:
        """Count one request that has ended; `start` is the message that began its answer."""
        key = (template_of(scope), status_of(start) // 100)
        series = self._series.get(key)
        if series is None:
            route, status_class = key
            status = f"{status_class}xx" if status_class else "none"
            series = self._series[key] = self._durations.labels(route, status)
        series.observe(seconds)
