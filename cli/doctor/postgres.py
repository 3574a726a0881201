"""Checks of a PostgreSQL database, in one transaction that is rolled back."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from cli.doctor.findings import Finding, Installation, clock_skew, fail, ok, warn
from cli.doctor.schema import check_schema
from core.database.postgres import open_engine
from core.settings.sources import redact_url

T = TypeVar("T")
CONNECT_TIMEOUT_SECONDS = 5
TOTAL_TIMEOUT_SECONDS = 30
# The oldest release that still gets fixes: https://www.postgresql.org/support/versioning/
OLDEST_POSTGRES = 140000


def check_postgres(installation: Installation) -> list[Finding]:
    url = installation.settings.database_url
    try:
        return asyncio.run(_in_transaction(url, lambda tx: list(_checks(installation, tx))))
    except (OSError, DBAPIError, TimeoutError) as error:
        why = _root_of(error)
        return [
            fail(
                f"{redact_url(url)} gives no answer ({why}): "
                "is it up, are the name, the role and the password right?"
            )
        ]


def _root_of(error: BaseException) -> str:
    """The type of the driver's own error, below those of SQLAlchemy and its adapter."""
    while error.__cause__ is not None:
        error = error.__cause__
    return type(error).__name__


async def _in_transaction(url: str, work: Callable[[Connection], T]) -> T:
    """Do `work` in a transaction that is rolled back."""
    engine = open_engine(url, CONNECT_TIMEOUT_SECONDS)
    async with asyncio.timeout(TOTAL_TIMEOUT_SECONDS), engine.connect() as connection:
        found = await connection.run_sync(work)
        await connection.rollback()
        return found


def _checks(installation: Installation, tx: Connection) -> Iterator[Finding]:
    before = datetime.now(UTC)
    server_time = tx.execute(text("SELECT clock_timestamp()")).scalar_one()
    after = datetime.now(UTC)
    version = int(_show(tx, "server_version_num"))
    if version < OLDEST_POSTGRES:
        yield warn(f"PostgreSQL {_show(tx, 'server_version')} gets no fixes any more: upgrade it")
    yield ok(f"{redact_url(installation.settings.database_url)} answers")
    # The server read its clock about halfway between the two readings here.
    ahead = (server_time - before - (after - before) / 2).total_seconds()
    yield clock_skew(ahead, "the database")
    yield from _durability(tx)
    yield from _role(tx)
    yield from _connections(installation, tx)
    yield from check_schema(tx, "run `alembic upgrade head`")


def _show(tx: Connection, name: str) -> str:
    return str(tx.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar_one())


def _durability(tx: Connection) -> Iterator[Finding]:
    off = [
        name
        for name in ("fsync", "full_page_writes", "synchronous_commit")
        if _show(tx, name) == "off"
    ]
    if off:
        yield warn(f"{', '.join(off)} off: a crash may lose logins that were answered; turn it on")
    if _show(tx, "server_encoding") != "UTF8":
        yield fail("the database is not in UTF8: make it with ENCODING 'UTF8'")


def _role(tx: Connection) -> Iterator[Finding]:
    query = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    if tx.execute(text(query)).scalar_one():
        yield warn("the service's role is a superuser: give it one as in deploy/postgres/roles.sql")
    query = (
        "SELECT ssl, client_addr FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
        "WHERE pid = pg_backend_pid()"
    )
    encrypted, _ = tx.execute(text(query)).one()
    server = tx.execute(text("SELECT host(inet_server_addr())")).scalar_one()
    if not encrypted and server and ipaddress.ip_address(server).is_global:
        yield fail("the connection to the database is not encrypted: add ?ssl=verify-full")


def _connections(installation: Installation, tx: Connection) -> Iterator[Finding]:
    most = int(_show(tx, "max_connections")) - int(_show(tx, "superuser_reserved_connections"))
    wanted = installation.workers * installation.settings.database_pool_size
    if wanted > most:
        yield fail(
            f"the workers here want {wanted} connections, and {most} are allowed: lower "
            "DATABASE_POOL_SIZE or raise max_connections"
        )
    else:
        yield ok(f"{wanted} connections of {most} are wanted here; add those of other replicas")
