"""PostgreSQL: the same units of work, through SQLAlchemy's async engine.

Any number of workers on any number of machines; the pool is bounded, and whatever goes wrong on
the way to the server is `DatabaseUnavailable`: a clean 503, and a new connection the next time.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from core.database import DatabaseUnavailable, T, Unit, notify, take_callbacks

logger = logging.getLogger("service.database")

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 10
POOL_WAIT_SECONDS = 5


def async_url(url: str) -> str:
    """The URL an operator writes, with the driver this service speaks through."""
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


class PostgresDatabase:
    """A `Database` over a PostgreSQL server. `check_schema` refuses one that is not up to date."""

    def __init__(
        self, url: str, check_schema: Callable[[AsyncEngine], Awaitable[None]], pool_size: int
    ) -> None:
        self._check_schema = check_schema
        self._engine = create_async_engine(
            async_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_WAIT_SECONDS,
            # Statements in an error message could carry what a person typed.
            hide_parameters=True,
            connect_args={"timeout": CONNECT_SECONDS, "command_timeout": STATEMENT_SECONDS},
        )

    async def start(self) -> None:
        await self._check_schema(self._engine)

    async def stop(self) -> None:
        await self._engine.dispose()

    async def read(self, unit: Unit[T]) -> T:
        return await self.write(unit)

    async def write(self, unit: Unit[T]) -> T:
        try:
            async with self._engine.begin() as connection:
                value = await connection.run_sync(unit)
                callbacks = await connection.run_sync(take_callbacks)
        except IntegrityError:
            raise
        except (DBAPIError, PoolTimeout, OSError, TimeoutError) as error:
            logger.error("transaction failed", exc_info=error)
            raise DatabaseUnavailable(type(error).__name__) from None
        notify(callbacks)
        return value
