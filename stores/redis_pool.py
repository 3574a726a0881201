"""The one place that opens connections to Redis: a bounded pool, shared by all stores there."""

from __future__ import annotations

from redis.asyncio import BlockingConnectionPool, Redis

TIMEOUT_SECONDS = 2
MAX_CONNECTIONS = 100


def open_redis(url: str) -> Redis:
    """A client of the Redis at `url`. It connects when it is first used."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )
    return Redis(connection_pool=pool)
