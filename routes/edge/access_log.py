"""The access log: one line of JSON per request in the service's log, if ACCESS_LOG asks for it.

A line names the route's template and not the path, so no id, no query and no token stands there.
Only what matches no route is shown as it came: shortened, escaped, without its query.
"""

from __future__ import annotations

import logging
from typing import Any

from starlette.types import Message, Scope

from core.measured import UNMATCHED, status_of, template_of
from routes.edge.client_address import TrustedProxies

logger = logging.getLogger("service.access")

MAX_PATH = 200
MAX_METHOD = 16


class AccessLog:
    """Writes the lines; addresses are those of the audit trail."""

    def __init__(self, proxies: TrustedProxies) -> None:
        self._proxies = proxies

    def observe(self, scope: Scope, answer: Message | None, seconds: float) -> None:
        """Hand one line to the log's queue; nobody waits for the disk."""
        route, state = template_of(scope), scope["state"]
        fields: dict[str, Any] = {
            "method": scope["method"][:MAX_METHOD],
            "route": route,
            "status": status_of(answer),
            "ms": round(seconds * 1000, 3),
            "bytes": _length(scope, answer),
            "request_id": state["request_id"],
            "ip_address": self._proxies.client_of(state["peer"], _forwarded(scope)),
        }
        if route == UNMATCHED:
            fields["path"] = _escaped(scope["path"])
        logger.info("request", extra={"fields": fields})


def _forwarded(scope: Scope) -> list[str]:
    found = (value for name, value in scope["headers"] if name == b"x-forwarded-for")
    return [value.decode("latin-1") for value in found]


def _length(scope: Scope, answer: Message | None) -> int:
    """The bytes of the answer's body, as its head says; HEAD is answered without one."""
    if answer is None or scope["method"] == "HEAD":
        return 0
    return next((int(value) for name, value in answer["headers"] if name == b"content-length"), 0)


def _escaped(path: str) -> str:
    """Safe to show in a terminal; what a stranger wrote, but not at any length."""
    shown = path[:MAX_PATH]
    return shown if shown.isprintable() else ascii(shown)[1:-1][:MAX_PATH]
