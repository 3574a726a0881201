"""Opens the one pool of connections that all stores in Redis share."""

from __future__ import annotations

from redis.asyncio import BlockingConnectionPool, Redis

TIMEOUT_SECONDS = 2
MAX_CONNECTIONS = 100


def open_redis(url: str) -> Redis:
    """A client of the Redis at `url`. It connects when it is first used, and waits TIMEOUT_SECONDS
    for a free connection, for the connection and for an answer.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )
    return Redis(connection_pool=pool)
