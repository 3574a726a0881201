"""The one pool of connections that all stores in Redis share, and the errors of Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from core.errors import Unavailable

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


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn every error of Redis and of its connection out of the block into Unavailable."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise Unavailable(type(error).__name__) from None
