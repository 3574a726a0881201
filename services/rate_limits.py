"""Rate limits: per client address, per email, and for all clients together.

Every refused request is counted in the metrics. The audit trail gets one row for each limit and
window, because a row for each request would let an attacker fill the table.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import audit
from audit import Caller, Principal
from core import errors
from core.database.interface import Database
from core.settings import Settings
from stores.rate_counters.interface import Counted, Counters

WINDOW_SECONDS = 60


class Limit(NamedTuple):
    """A limit: its name, the requests per window, and the key of its counter."""

    name: str
    requests: int
    key: str


class RateLimits:
    """Counts requests, and refuses those over a limit.

    count_refused: called with the action and the name of the limit for each refused request.
    """

    def __init__(
        self,
        settings: Settings,
        db: Database,
        counters: Counters,
        count_refused: Callable[[str, str], None],
    ) -> None:
        self._db, self._counters = db, counters
        self._address = settings.rate_limit_address
        self._email = settings.rate_limit_email
        self._global = settings.rate_limit_global
        self._off = settings.danger_rate_limits_off
        self._count_refused = count_refused

    async def enforce(
        self, caller: Caller, action: str, email: str | None = None
    ) -> dict[str, str]:
        """Count one request of `action`. Returns the RateLimit header fields for its response.

        Raises RateLimited (429). Raises Unavailable if the counters cannot be reached: to let the
        request pass uncounted would switch the limits off.
        """
        if self._off:
            return {}
        # In this order: a request over the limit of its address does not count towards the others.
        keys = [(f"{action}:address:{_network(caller.ip_address)}", self._address)]
        if email is not None:
            keys.append((f"{action}:email:{email}", self._email))
        keys.append((f"{action}:global", self._global))
        counted = await self._counters.hit(keys, WINDOW_SECONDS)
        key, requests = keys[len(counted) - 1]
        if counted[-1].hits > requests:
            names = ("address", "global") if email is None else ("address", "email", "global")
            limit = Limit(names[len(counted) - 1], requests, key)
            await self._refuse(caller, action, limit, counted[-1], email)
        return _fields("address", self._address, counted[0])

    async def _refuse(
        self, caller: Caller, action: str, limit: Limit, counted: Counted, email: str | None
    ) -> None:
        self._count_refused(action, limit.name)
        (recorded,) = await self._counters.hit([(f"audited:{limit.key}", 1)], WINDOW_SECONDS)
        if recorded.hits == 1:
            event = audit.RateLimited(
                Principal(None, email), reason=limit.name, action=action, per_minute=limit.requests
            )
            await self._db.autocommit(lambda tx: audit.record(tx, caller, event))
        wait = {"Retry-After": str(_seconds(counted))}
        raise errors.RateLimited({**_fields(limit.name, limit.requests, counted), **wait})


def _fields(name: str, limit: int, counted: Counted) -> dict[str, str]:
    """RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers)."""
    left = max(0, limit - counted.hits)
    return {
        "RateLimit-Policy": f'"{name}";q={limit};w={WINDOW_SECONDS}',
        "RateLimit": f'"{name}";r={left};t={_seconds(counted)}',
    }


def _seconds(counted: Counted) -> int:
    return max(1, math.ceil(counted.seconds_left))


@lru_cache(maxsize=4096)
def _network(address: str) -> str:
    """The counter key of an address. IPv6 counts by /64, which one home or office has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
