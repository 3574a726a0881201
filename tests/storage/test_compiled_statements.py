"""Compiled statements on SQLite do what SQLAlchemy does; what they cannot do is refused."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Executable,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    create_engine,
    event,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.dialects.sqlite import pysqlite

from core.database import schema_version
from core.database.compiled_statements import CACHED_QUERIES, Plans, Statement, UnsupportedStatement
from core.database.interface import Transaction
from core.database.schema_version import upgrade
from core.database.sqlite import SqliteDatabase
from core.database.sqlite_connection import PLANS
from models import User
from stores import audit_logs, credentials, outbox, users
from tests.storage.comparing import Outcome, constant, own_outcome, query, their_outcome
from tests.storage.constructs import (
    POSTGRES_ONLY,
    QUERIED_CHANGES,
    QUERIES,
    READS,
    Case,
    Make,
    changes,
    fill,
)
from tests.storage.units import run

CHANGES = changes("sqlite")
Compare = Callable[..., tuple[Outcome, Outcome]]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Connection]]:
    """A migrated database with rows in it, as the service and as SQLAlchemy open it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('filled')}/app.db"
    plain = create_engine(url)
    upgrade(plain)
    plain.dispose()
    engine = create_engine(url)
    # https://docs.sqlalchemy.org/en/20/dialects/sqlite.html: without these, no savepoint works.
    event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    with engine.begin() as connection:
        fill(connection)
    with engine.connect() as connection:
        yield url, connection
    engine.dispose()


@pytest.fixture
def compare(filled: tuple[str, Connection]) -> Compare:
    """What the service makes of a statement, and what SQLAlchemy does."""
    url, connection = filled

    def both(run_it: Callable[..., object], case: Case, is_change: bool) -> tuple[Outcome, Outcome]:
        theirs = their_outcome(connection, case, is_change)
        connection.rollback()
        db = SqliteDatabase(url, lambda _engine: None)
        return run(db, lambda: own_outcome(db, run_it, is_change)), theirs  # type: ignore[arg-type]

    return both


@pytest.mark.parametrize("name", READS)
def test_a_constant_reads_what_sqlalchemy_reads(compare: Compare, name: str) -> None:
    own, theirs = compare(constant(READS[name]), READS[name], False)
    assert own == theirs


@pytest.mark.parametrize("name", CHANGES)
def test_a_constant_changes_what_sqlalchemy_changes(compare: Compare, name: str) -> None:
    own, theirs = compare(constant(CHANGES[name]), CHANGES[name], True)
    assert own == theirs


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_reads_what_sqlalchemy_reads(compare: Compare, name: str) -> None:
    for _ in range(2):
        # The second time from SQLAlchemy's cache.
        own, theirs = compare(query(QUERIES[name]()), Case(QUERIES[name]()), False)
        assert own == theirs


@pytest.mark.parametrize("name", sorted(QUERIED_CHANGES.keys() - POSTGRES_ONLY))
def test_a_query_changes_what_sqlalchemy_changes(compare: Compare, name: str) -> None:
    make = QUERIED_CHANGES[name]
    own, theirs = compare(query(make()), Case(make()), True)
    assert own == theirs


def test_one_form_with_other_values_is_another_query(compare: Compare) -> None:
    """The values of the first call are not kept with the compiled form."""
    for wanted in (["u0"], ["u1", "u2"], []):
        statement = select(User.id).where(User.id.in_(wanted)).order_by(User.id)
        own, theirs = compare(query(statement), Case(statement), False)
        assert own == theirs
        assert [row[0] for row in own.rows] == wanted


# -- what is refused --

ODD = Table(
    "odd",
    MetaData(),
    Column("id", Text, primary_key=True),
    Column("made", Text, default=lambda: "x"),
    Column("kept", Text, onupdate=lambda: "x"),
    Column("now", Text, default=func.lower("X")),
    Column("json", JSON),
)
NUMBERED = Table(
    "numbered", MetaData(), Column("id", Integer, primary_key=True), Column("name", Text)
)
PLAIN = insert(ODD).values(id="x", kept="", now="", json=None)
CONSTANTS: dict[str, Executable] = {
    "an IN list": select(User.id).where(User.id.in_(["a", "b"])),
    "an expanding parameter": select(User.id).where(User.id.in_(bindparam("ids", expanding=True))),
    "a literal parameter": select(User.id).limit(bindparam("n", literal_execute=True)),
    "text": text("SELECT 1"),
    "text with columns": text("SELECT 1 AS x").columns(ODD.c.id),
    "a value that is a function": select(User.id).where(
        User.id == bindparam("id", callable_=lambda: "u0")
    ),
    "several rows of VALUES": insert(ODD).values(
        [{"id": "a", "made": ""}, {"id": "b", "made": ""}]
    ),
    "a default that is a function": insert(ODD).values(id="x"),
    "an update's default that is a function": update(ODD).values(made=""),
    "a JSON parameter": select(ODD.c.id).where(ODD.c.json == bindparam("json", type_=JSON)),
    "a JSON column": select(ODD.c.json),
    "a key that the database makes": insert(NUMBERED).values(name="x"),
}
QUERIED: dict[str, Make] = {
    "a function of nothing": lambda: func.now(),
    "a default that is a function": lambda: insert(ODD).values(id="x"),
    "an update's default that is a function": lambda: update(ODD).values(made=""),
    "a JSON column": lambda: select(ODD.c.json),
    "a key that the database makes": lambda: insert(NUMBERED).values(name="x"),
}
DIALECTS = {
    "sqlite": pysqlite.dialect(),
    "postgresql": asyncpg.dialect(),  # type: ignore[no-untyped-call]
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", CONSTANTS)
def test_a_constant_that_would_run_otherwise_is_refused(name: str, dialect: str) -> None:
    with pytest.raises(UnsupportedStatement):
        Plans(DIALECTS[dialect]).of(Statement(CONSTANTS[name]))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", QUERIED)
def test_a_query_that_would_run_otherwise_is_refused(name: str, dialect: str) -> None:
    with pytest.raises(UnsupportedStatement):
        Plans(DIALECTS[dialect]).of_query(QUERIED[name]())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_constant_of_the_stores_can_be_run(dialect: str) -> None:
    plans, seen = Plans(DIALECTS[dialect]), 0
    other = {"sqlite": "PostgresOutbox", "postgresql": "SqliteOutbox"}[dialect]
    homes = [schema_version, audit_logs, outbox, credentials, users]
    homes += [cls for name, cls in vars(outbox).items() if name.endswith("Outbox")]
    for home in homes:
        if getattr(home, "__name__", "") != other:
            for value in vars(home).values():
                if isinstance(value, Statement):
                    plans.of(value)
                    seen += 1
    assert seen >= 18


# -- what is kept --


def test_the_plan_of_a_constant_goes_with_it() -> None:
    statement = Statement(select(User.id).where(User.id == bindparam("id")))
    then = Statement(audit_logs._INSERT.clause)
    change = Statement(credentials._USED.clause)
    plans = Plans(DIALECTS["postgresql"])
    plan = plans.of(statement)
    assert plans.of(statement) is plan
    assert plans.of_both(change, then) is plans.of_both(change, then)
    gone = [weakref.ref(each) for each in (statement, then, change)]
    del statement, then, change
    gc.collect()
    assert [each() for each in gone] == [None, None, None]


def test_the_forms_of_queries_are_kept_within_bounds(
    filled: tuple[str, Connection],
) -> None:
    db = SqliteDatabase(filled[0], lambda _engine: None)

    def unit(tx: Transaction) -> None:
        for number in range(3 * CACHED_QUERIES):
            tx.query(select(User.id.label(f"form_{number}")).where(User.id == "u0"))

    run(db, lambda: db.read(unit))
    assert len(PLANS._compiled) <= 1.5 * CACHED_QUERIES
