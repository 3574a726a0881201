"""What every request left behind: how long it took, by route template and class of status.

Plain numbers, added up where the request ends and read when somebody asks: services/metrics.py.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

from starlette.types import Message, Scope

# Upper bounds in seconds: a ceremony takes milliseconds, a queue or a lost server seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
STATIC, UNMATCHED = "/static", "unmatched"


def template_of(scope: Scope) -> str:
    """The route's template, as ``/users/{user_id}``; never a path, of which there is no end."""
    route = scope.get("route")
    if route is not None:
        path: str = route.path
        return path
    # The mounted folder is an endpoint without a route.
    return STATIC if "endpoint" in scope else UNMATCHED


def status_of(answer: Message | None) -> int:
    """The status of an ASGI `http.response.start`; 0 if there was none."""
    status: int = answer["status"] if answer else 0
    return status


class Durations:
    """How many requests took at most each bound of BUCKETS (the last count: longer), and all."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0


class Requests:
    """Durations by (route template, first digit of the status; 0: no answer was begun)."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], Durations] = {}

    def observe(self, scope: Scope, answer: Message | None, seconds: float) -> None:
        """Count one request that has ended. Called in the event loop only."""
        key = (template_of(scope), status_of(answer) // 100)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = Durations()
        found.counts[bisect_left(BUCKETS, seconds)] += 1
        found.seconds += seconds

    def found(self) -> Mapping[tuple[str, int], Durations]:
        """Everything so far."""
        return self._found
