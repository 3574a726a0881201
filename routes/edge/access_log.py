"""The access log: one JSON line per request in the service's log, if ACCESS_LOG is on.

A line names the route's template and not the path, so it holds no id, no query and no token. Only
a path that matches no route is logged itself: shortened, escaped, without its query.
"""

from __future__ import annotations

import logging
from typing import Any

from starlette.types import Message, Scope

from core.encoding import escape_unprintable
from routes.edge.client_address import TrustedProxies
from routes.edge.request_metrics import UNMATCHED, status_of, template_of

logger = logging.getLogger("service.access")

MAX_PATH = 200
MAX_METHOD = 16


class AccessLog:
    """Writes the lines. Client addresses are those of the audit trail."""

    def __init__(self, proxies: TrustedProxies) -> None:
        self._proxies = proxies

    def observe(self, scope: Scope, start: Message | None, seconds: float) -> None:
        """Put one line into the log's queue. start: the `http.response.start`, if one was sent."""
        route, state = template_of(scope), scope["state"]
        fields: dict[str, Any] = {
            "method": scope["method"][:MAX_METHOD],
            "route": route,
            "status": status_of(start),
            "ms": round(seconds * 1000, 3),
            "bytes": _length(scope, start),
            "request_id": state["request_id"],
            "ip_address": self._proxies.client_of(state["peer"], _forwarded(scope)),
        }
        if route == UNMATCHED:
            fields["path"] = _escaped(scope["path"])
        logger.info("request", extra={"fields": fields})


def _forwarded(scope: Scope) -> list[str]:
    found = (value for name, value in scope["headers"] if name == b"x-forwarded-for")
    return [value.decode("latin-1") for value in found]


def _length(scope: Scope, start: Message | None) -> int:
    """The bytes of the response's body by its Content-Length; 0 for HEAD, which has no body."""
    if start is None or scope["method"] == "HEAD":
        return 0
    return next((int(value) for name, value in start["headers"] if name == b"content-length"), 0)


def _escaped(path: str) -> str:
    """At most MAX_PATH characters, safe to show in a terminal: a client chose this path."""
    return escape_unprintable(path[:MAX_PATH])[:MAX_PATH]
