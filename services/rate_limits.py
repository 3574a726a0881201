"""Rate limits: per client address, per account name, and for everyone together.

What is refused is counted and answered at once; it is on record once per window and not once per
request, or an attacker could fill the audit trail.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import audit
from audit import Caller, Party
from core import errors
from core.database.interface import Database
from core.settings import Settings
from stores.rate_counters.interface import Counted, Counters

WINDOW_SECONDS = 60


class Policy(NamedTuple):
    """So many requests of one kind in a minute, for one key."""

    name: str
    limit: int
    key: str


class Throttle:
    """Admits requests, or refuses them with 429.

    `count_refused` takes the action and the name of the limit of each request that is refused.
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

    async def admit(self, caller: Caller, action: str, email: str | None = None) -> dict[str, str]:
        """Count one request; the RateLimit fields for its answer.

        Raises ApiError (429); Unavailable, because not counting would be failing open.
        """
        if self._off:
            return {}
        # In the order in which they are asked: who is over their own limit uses up no other.
        keys = [(f"{action}:address:{_network(caller.ip_address)}", self._address)]
        if email is not None:
            keys.append((f"{action}:email:{email}", self._email))
        keys.append((f"{action}:global", self._global))
        counted = await self._counters.hit(keys, WINDOW_SECONDS)
        key, limit = keys[len(counted) - 1]
        if counted[-1].hits > limit:
            names = ("address", "global") if email is None else ("address", "email", "global")
            policy = Policy(names[len(counted) - 1], limit, key)
            await self._refuse(caller, action, policy, counted[-1], email)
        return _fields("address", self._address, counted[0])

    async def _refuse(
        self, caller: Caller, action: str, policy: Policy, counted: Counted, email: str | None
    ) -> None:
        self._count_refused(action, policy.name)
        (told,) = await self._counters.hit([(f"audited:{policy.key}", 1)], WINDOW_SECONDS)
        if told.hits == 1:
            event = audit.RateLimited(
                Party(None, email), reason=policy.name, action=action, per_minute=policy.limit
            )
            await self._db.autocommit(lambda tx: audit.record(tx, caller, event))
        wait = {"Retry-After": str(_seconds(counted))}
        raise errors.RateLimited({**_fields(policy.name, policy.limit, counted), **wait})


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
    """The key of an address: one home or office has a whole /64 of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
