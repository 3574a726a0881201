"""The order of forwarding: no row is skipped, whatever the order of commits and of numbers."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from core.database.interface import Transaction
from core.database.postgres import PostgresDatabase
from core.database.schema_version import require_newest, upgrade
from core.database.sqlite import SqliteDatabase
from stores import outbox as store
from stores.outbox import EventRow, Horizon, PostgresOutbox, SqliteOutbox

SINK, ME, OTHER = "stdout:ecs", "me", "somebody else"
LEASE = timedelta(seconds=10)
INSERT = "INSERT INTO audit_logs (id, event_type, success) VALUES ('{}', 'login_begin', 1)"
Scene = Callable[[PostgresDatabase, str], Awaitable[None]]


@pytest.fixture
def play(postgres_url: str) -> Callable[[Scene], None]:
    """Plays a scene on an empty PostgreSQL database."""

    async def run(scene: Scene) -> None:
        db = PostgresDatabase(postgres_url, require_newest, 5)
        await db.start()
        try:
            await scene(db, postgres_url)
        finally:
            await db.stop()

    return lambda scene: asyncio.run(run(scene))


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of its own, as another worker has."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


Claimed = tuple[tuple[int, str | None], Horizon]


async def claim(db: PostgresDatabase) -> Claimed | None:
    outbox = PostgresOutbox()
    return await db.write(lambda tx: store.claim(tx, outbox, SINK, ME, LEASE))


async def waiting(
    db: PostgresDatabase, claimed: Claimed, limit: int = 500
) -> list[EventRow] | None:
    outbox, (last, horizon) = PostgresOutbox(), claimed
    return await db.read(lambda tx: store.waiting(tx, outbox, last, horizon, limit))


async def handed_out(db: PostgresDatabase) -> list[str] | None:
    """The rows that a worker gets if it asks once; None if it must wait."""
    claimed = await claim(db)
    rows = await waiting(db, claimed) if claimed else []
    return None if rows is None else [row.id for row in rows]


async def settled(db: PostgresDatabase, claimed: Claimed, limit: int = 500) -> list[EventRow]:
    """The rows that it gets in the end: it may have to wait for transactions of other databases."""
    for _ in range(1000):
        rows = await waiting(db, claimed, limit)
        if rows is not None:
            return rows
        await asyncio.sleep(0.02)
    raise TimeoutError


async def handed_out_at_last(db: PostgresDatabase) -> list[str]:
    claimed = await claim(db)
    return [row.id for row in await settled(db, claimed)] if claimed else []


def test_commits_in_the_reverse_order_of_positions_skip_nothing(
    play: Callable[[Scene], None],
) -> None:
    """The row that committed first waits for the one that was numbered before it."""

    async def scene(db: PostgresDatabase, url: str) -> None:
        async with connected(url) as one, connected(url) as two:
            slow = one.transaction()
            await slow.start()
            await one.execute(INSERT.format("first"))
            await two.execute(INSERT.format("second"))
            assert await handed_out(db) is None
            await slow.commit()
            assert await handed_out_at_last(db) == ["first", "second"]

    play(scene)


def test_the_order_of_transaction_ids_is_not_the_order_of_positions(
    play: Callable[[Scene], None],
) -> None:
    """The open transaction has the lower position and the higher id, beyond any snapshot's xmax."""

    async def scene(db: PostgresDatabase, url: str) -> None:
        async with connected(url) as one, connected(url) as two:
            quick, slow = two.transaction(), one.transaction()
            await quick.start()
            await two.fetchval("SELECT pg_current_xact_id()::text")
            await slow.start()
            await one.execute(INSERT.format("first"))
            await two.execute(INSERT.format("second"))
            await quick.commit()
            # On an idle server xmin and xmax of the snapshot are equal, as if nothing were open.
            assert await handed_out(db) is None
            await slow.commit()
            assert await handed_out_at_last(db) == ["first", "second"]

    play(scene)


def test_a_position_that_was_rolled_back_holds_up_nobody(play: Callable[[Scene], None]) -> None:
    async def scene(db: PostgresDatabase, url: str) -> None:
        async with connected(url) as one, connected(url) as two:
            failing = one.transaction()
            await failing.start()
            await one.execute(INSERT.format("never"))
            await two.execute(INSERT.format("second"))
            await failing.rollback()
            assert await handed_out_at_last(db) == ["second"]

    play(scene)


def test_who_only_reads_holds_up_nobody(play: Callable[[Scene], None]) -> None:
    """A backup may take hours."""

    async def scene(db: PostgresDatabase, url: str) -> None:
        async with connected(url) as reader, connected(url) as two:
            long = reader.transaction(isolation="repeatable_read", readonly=True)
            await long.start()
            await reader.fetchval("SELECT count(*) FROM audit_logs")
            await two.execute(INSERT.format("row"))
            assert await handed_out_at_last(db) == ["row"]
            await long.rollback()

    play(scene)


def test_the_positions_are_what_the_argument_rests_on(play: Callable[[Scene], None]) -> None:
    """The sequence has no cache, and the transaction gets its id before the position."""

    async def scene(_db: PostgresDatabase, url: str) -> None:
        async with connected(url) as shell:
            cache = "SELECT cache_size FROM pg_sequences WHERE sequencename = $1"
            assert await shell.fetchval(cache, "audit_logs_position_seq") == 1
            default = await shell.fetchval(
                "SELECT column_default FROM information_schema.columns "
                "WHERE table_name = 'audit_logs' AND column_name = 'position'"
            )
            assert default.index("pg_current_xact_id()") < default.index("nextval(")
            assert default.strip().startswith("\nCASE".strip())

    play(scene)


def test_a_look_after_a_write_is_refused(play: Callable[[Scene], None]) -> None:
    """The xmin barrier would be older than the rows that the transaction saw."""

    async def scene(db: PostgresDatabase, _url: str) -> None:
        def unit(tx: Transaction) -> None:
            tx.execute(PostgresOutbox.register, {"sink": "another"})
            store.claim(tx, PostgresOutbox(), SINK, ME, LEASE)

        with pytest.raises(RuntimeError, match="has written before"):
            await db.write(unit)

    play(scene)


async def ship(db: PostgresDatabase, until: asyncio.Event) -> list[str]:
    """The rows that a worker would send, acknowledged batch by batch."""
    taken: list[str] = []
    while True:
        ending = until.is_set()
        claimed = await claim(db)
        if claimed is None and ending:
            return taken
        rows = await settled(db, claimed, 7) if claimed else []
        if claimed and rows:
            taken += [row.id for row in rows]
            assert await db.write(partial(_acknowledge, before=claimed[0][0], row=rows[-1]))


def _acknowledge(tx: Transaction, before: int, row: EventRow) -> bool:
    return store.acknowledge(tx, PostgresOutbox(), SINK, ME, before, row, LEASE)


async def write(url: str, seed: int, count: int) -> None:
    """Write transactions of one to three rows, which commit early, late, or not at all."""
    draw = random.Random(seed)
    async with connected(url) as connection:
        for _ in range(count):
            tx = connection.transaction()
            await tx.start()
            for _ in range(draw.randint(1, 3)):
                await connection.execute(INSERT.format(uuid.uuid4()))
                await asyncio.sleep(draw.random() * 0.01)
            await (tx.rollback() if draw.random() < 0.2 else tx.commit())


def test_a_crowd_of_writers_is_shipped_whole_and_in_order(play: Callable[[Scene], None]) -> None:
    """Eight writers at once, in any order, while a worker forwards: each row once, by position."""

    async def scene(db: PostgresDatabase, url: str) -> None:
        written = asyncio.Event()
        shipping = asyncio.create_task(ship(db, written))
        await asyncio.gather(*(write(url, seed, 25) for seed in range(8)))
        written.set()
        taken = await asyncio.wait_for(shipping, 60)
        async with connected(url) as shell:
            found = await shell.fetch("SELECT id FROM audit_logs ORDER BY position")
        assert len(taken) > 200
        assert taken == [row["id"] for row in found]

    play(scene)


# -- SQLite: row numbers that change --


@pytest.fixture
def on_file(
    tmp_path: Path,
) -> Callable[[Callable[[SqliteDatabase], Coroutine[Any, Any, None]]], None]:
    """Plays a scene on an empty SQLite database, `tmp_path`/app.db."""

    async def run(scene: Callable[[SqliteDatabase], Coroutine[Any, Any, None]]) -> None:
        db = SqliteDatabase(f"sqlite:///{tmp_path}/app.db", upgrade)
        await db.start()
        try:
            await scene(db)
        finally:
            await db.stop()

    return lambda scene: asyncio.run(run(scene))


def shell(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "app.db", isolation_level=None, timeout=5)) as connection:
        for statement in statements:
            connection.execute(statement)


async def take(db: SqliteDatabase) -> list[str]:
    """Every row that waits; all of them are acknowledged."""
    outbox = SqliteOutbox()
    claimed = await db.write(lambda tx: store.claim(tx, outbox, SINK, ME, LEASE))
    if claimed is None:
        return []
    last, horizon = claimed
    rows = await db.read(lambda tx: store.waiting(tx, outbox, last, horizon, 500))
    assert rows
    assert await db.write(
        lambda tx: store.acknowledge(tx, outbox, SINK, ME, last[0], rows[-1], LEASE)
    )
    return [row.id for row in rows]


def test_rows_that_are_numbered_anew_are_not_skipped(
    on_file: Callable[..., None], tmp_path: Path
) -> None:
    """VACUUM and restored dumps change row numbers: new rows get numbers that were used."""

    async def scene(db: SqliteDatabase) -> None:
        shell(tmp_path, *(INSERT.format(f"old-{n}") for n in range(9)))
        assert len(await take(db)) == 9
        shell(tmp_path, "DELETE FROM audit_logs WHERE id < 'old-7'", "VACUUM")
        shell(tmp_path, "UPDATE audit_logs SET rowid = rowid - 7")
        shell(tmp_path, INSERT.format("new"))
        assert await take(db) == ["new"]
        assert await take(db) == []

    on_file(scene)


def test_a_number_that_comes_again_is_another_row(
    on_file: Callable[..., None], tmp_path: Path
) -> None:
    """All audit rows were deleted, and SQLite counts from one again."""

    async def scene(db: SqliteDatabase) -> None:
        shell(tmp_path, *(INSERT.format(f"old-{n}") for n in range(9)))
        assert len(await take(db)) == 9
        shell(tmp_path, "DELETE FROM audit_logs", INSERT.format("new"))
        assert await take(db) == ["new"]

    on_file(scene)


def test_where_the_last_row_is_gone_shipping_starts_over(
    on_file: Callable[..., None], tmp_path: Path
) -> None:
    """A row that is sent twice is better than a row that is lost."""

    async def scene(db: SqliteDatabase) -> None:
        shell(tmp_path, *(INSERT.format(f"old-{n}") for n in range(3)))
        assert len(await take(db)) == 3
        shell(tmp_path, "DELETE FROM audit_logs WHERE id = 'old-2'", INSERT.format("new"))
        assert await take(db) == ["old-0", "old-1", "new"]

    on_file(scene)


# -- which worker forwards --


def test_a_sink_has_one_holder_until_its_time_is_over(
    on_file: Callable[..., None], tmp_path: Path
) -> None:
    async def scene(db: SqliteDatabase) -> None:
        outbox = SqliteOutbox()

        async def claim(who: str, lease: float) -> bool:
            time = timedelta(seconds=lease)
            unit = partial(store.claim, outbox=outbox, sink=SINK, me=who, lease=time)
            return await db.write(unit) is not None

        shell(tmp_path, INSERT.format("row"))
        assert await claim(ME, 10)
        assert not await claim(OTHER, 10)
        assert await claim(ME, 0)
        assert await claim(OTHER, 10)
        assert not await claim(ME, 10)
        await db.write(lambda tx: store.release(tx, SINK, ME))
        assert not await claim(ME, 10)
        await db.write(lambda tx: store.release(tx, SINK, OTHER))
        assert await claim(ME, 10)

    on_file(scene)


def test_a_holder_of_yesterday_acknowledges_nothing(
    on_file: Callable[..., None], tmp_path: Path
) -> None:
    async def scene(db: SqliteDatabase) -> None:
        outbox = SqliteOutbox()
        shell(tmp_path, INSERT.format("row"))
        for who in (ME, OTHER):
            await db.write(
                partial(
                    store.claim,
                    outbox=outbox,
                    sink=SINK,
                    me=who,
                    lease=timedelta(seconds=-1),
                )
            )
        last, horizon = (0, None), store.Horizon()
        rows = await db.read(lambda tx: store.waiting(tx, outbox, last, horizon, 1))
        assert rows
        for who, before, moved in ((ME, 0, False), (OTHER, 5, False), (OTHER, 0, True)):
            assert moved is await db.write(
                partial(
                    store.acknowledge,
                    outbox=outbox,
                    sink=SINK,
                    me=who,
                    before=before,
                    row=rows[0],
                    lease=LEASE,
                )
            )

    on_file(scene)
