"""Rate limits: per client address, per account name, and for everyone together.

What is refused is counted and answered at once; it is on record once per window and not once per
request, or an attacker could fill the audit trail.
"""

from __future__ import annotations

import ipaddress
import math
from collections import Counter
from dataclasses import dataclass

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import Storage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError

import audit
from audit import Caller, Party
from core import errors
from core.clock import Clock
from core.config import Settings
from core.database import Database
from core.errors import Unavailable

WINDOW_SECONDS = 60
ONCE = RateLimitItemPerMinute(1)


@dataclass(frozen=True)
class Policy:
    """So many requests of one kind in a minute, for one key."""

    name: str
    item: RateLimitItem
    key: str


class Throttle:
    """Admits requests, or refuses them with 429."""

    def __init__(self, settings: Settings, db: Database, counters: Storage, clock: Clock) -> None:
        self._db, self._clock = db, clock
        self._limiter = FixedWindowRateLimiter(counters)
        self._address = RateLimitItemPerMinute(settings.rate_limit_address)
        self._email = RateLimitItemPerMinute(settings.rate_limit_email)
        self._global = RateLimitItemPerMinute(settings.rate_limit_global)
        self._off = settings.danger_rate_limits_off
        self.refused: Counter[tuple[str, str]] = Counter()

    async def admit(self, caller: Caller, action: str, email: str | None = None) -> dict[str, str]:
        """Count one request; the RateLimit fields for its answer. Raises Refusal (429)."""
        if self._off:
            return {}
        try:
            return await self._count(caller, action, email)
        except StorageError as error:
            # Not counting would be failing open.
            raise Unavailable(type(error.storage_error).__name__) from None

    async def _count(self, caller: Caller, action: str, email: str | None) -> dict[str, str]:
        fields: dict[str, str] = {}
        for policy in self._policies(caller, email):
            if not await self._limiter.hit(policy.item, action, policy.name, policy.key):
                await self._refuse(caller, action, policy, email)
            if policy.name == "address":
                fields = await self._fields(action, policy)
        return fields

    def _policies(self, caller: Caller, email: str | None) -> list[Policy]:
        policies = [Policy("address", self._address, _network(caller.ip_address))]
        if email is not None:
            policies.append(Policy("email", self._email, email))
        return [*policies, Policy("global", self._global, "")]

    async def _fields(self, action: str, policy: Policy) -> dict[str, str]:
        """RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers)."""
        stats = await self._limiter.get_window_stats(policy.item, action, policy.name, policy.key)
        seconds = max(1, math.ceil(stats.reset_time - self._clock.now().timestamp()))
        return {
            "RateLimit-Policy": f'"{policy.name}";q={policy.item.amount};w={WINDOW_SECONDS}',
            "RateLimit": f'"{policy.name}";r={stats.remaining};t={seconds}',
        }

    async def _refuse(self, caller: Caller, action: str, policy: Policy, email: str | None) -> None:
        self.refused[action, policy.name] += 1
        if await self._limiter.hit(ONCE, "audited", action, policy.name, policy.key):
            event = audit.RateLimited(
                Party(None, email), reason=policy.name, action=action, per_minute=policy.item.amount
            )
            await self._db.write(lambda tx: audit.record(tx, caller, event))
        fields = await self._fields(action, policy)
        seconds = fields["RateLimit"].rpartition("=")[2]
        raise errors.rate_limited({**fields, "Retry-After": seconds})


def _network(address: str) -> str:
    """The key of an address: one home or office has a whole /64 of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
