"""The parts of one running service: built once from the settings, typed, and never replaced.

This module is in routes/ and not in services/, because it also builds parts of routes/edge.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auth import PasskeyCeremonies
from core.clock import Clock
from core.database.interface import Database
from core.database.postgres import PostgresDatabase
from core.database.schema_version import require_newest, upgrade
from core.database.sqlite import SqliteDatabase
from core.log_file import LogFile
from core.relying_party.ceremonies import RelyingParty
from core.relying_party.decoys import Decoys
from core.settings import Settings
from core.tokens import Tokens
from routes.edge.client_address import TrustedProxies
from routes.edge.request_metrics import RequestMetrics
from services.audit_forwarding.worker import AuditForwarding
from services.health import Health
from services.metrics import Metrics
from services.profiles import Profiles
from services.rate_limits import RateLimits
from stores.challenges.interface import Challenges
from stores.challenges.memory import MemoryChallenges
from stores.challenges.redis import RedisChallenges
from stores.rate_counters.interface import Counters
from stores.rate_counters.memory import MemoryCounters
from stores.rate_counters.redis import RedisCounters
from stores.redis_pool import open_redis

if TYPE_CHECKING:
    from routes.edge.tracing_spans import Tracing


@dataclass(frozen=True)
class Parts:
    """What endpoints and the edge use. `tracing` is None unless OTEL_* variables ask for it."""

    settings: Settings
    clock: Clock
    db: Database
    challenges: Challenges
    log_file: LogFile
    proxies: TrustedProxies
    requests: RequestMetrics
    rate_limits: RateLimits
    audit_forwarding: AuditForwarding
    health: Health
    profiles: Profiles
    passkeys: PasskeyCeremonies
    metrics: Metrics
    tracing: Tracing | None

    @classmethod
    def build(
        cls, settings: Settings, clock: Clock, tracing: Tracing | None, version: str
    ) -> Parts:
        """The parts under `settings`. Nothing is opened before `running`."""
        db, relying_party = _database(settings), RelyingParty(settings, clock)
        if tracing:
            db, relying_party = tracing.database(db), tracing.relying_party(settings, clock)
        challenges, counters = _shared_state(settings, clock)
        tokens, log_file = Tokens(settings, clock), LogFile(settings.log_file)
        metrics = Metrics(
            *(db, challenges, log_file),
            labels={"version": version, "database": settings.database_url.partition(":")[0]},
        )
        db.listeners.append(metrics.count_event)
        rate_limits = RateLimits(settings, db, counters, metrics.count_rate_limited)
        audit_forwarding = AuditForwarding(settings, db)
        return cls(
            settings=settings,
            clock=clock,
            db=db,
            challenges=challenges,
            log_file=log_file,
            proxies=TrustedProxies(settings.trusted_proxies),
            requests=RequestMetrics(metrics.registry),
            rate_limits=rate_limits,
            audit_forwarding=audit_forwarding,
            health=Health(db, challenges, log_file, audit_forwarding),
            profiles=Profiles(db, tokens, rate_limits),
            passkeys=PasskeyCeremonies(
                db=db,
                challenges=challenges,
                relying_party=relying_party,
                tokens=tokens,
                decoys=Decoys(settings),
                offers_credentials=settings.offer_credentials == "known",
                danger_reveal_unknown_email=settings.danger_reveal_unknown_email,
            ),
            metrics=metrics,
            tracing=tracing,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open every part; close them in reverse order. A part that fails stops no other.

        The log file closes last, because the database may still log while it stops.
        """
        async with AsyncExitStack() as stack:
            self.log_file.start()
            stack.callback(self.log_file.stop)
            if self.tracing:
                stack.push_async_callback(self.tracing.stop)
            stack.push_async_callback(self.db.stop)
            stack.push_async_callback(self.challenges.stop)
            await self.db.start()
            self.passkeys.start()
            self.audit_forwarding.start()
            stack.push_async_callback(self.audit_forwarding.stop)
            self.metrics.start()
            stack.push_async_callback(self.metrics.stop)
            yield


def _database(settings: Settings) -> Database:
    if settings.uses_sqlite:
        return SqliteDatabase(settings.database_url, upgrade)
    return PostgresDatabase(settings.database_url, require_newest, settings.database_pool_size)


def _shared_state(settings: Settings, clock: Clock) -> tuple[Challenges, Counters]:
    """In Redis for several processes; in the memory of this one otherwise."""
    if settings.redis_url:
        redis = open_redis(settings.redis_url)
        return RedisChallenges(redis), RedisCounters(redis)
    return MemoryChallenges(clock, settings.pending_ceremonies), MemoryCounters(clock)
