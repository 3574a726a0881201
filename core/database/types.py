"""The column types and the metadata that every table uses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import BigInteger, DateTime, Integer, MetaData
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

# Constraints need names, or no migration could drop one in SQLite's batch mode.
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

MOMENT_LENGTH = len("2026-01-01 00:00:00.000000")
# A sign count is an unsigned 32-bit number (WebAuthn L3 §6.1): too large for PostgreSQL's INTEGER.
Counter = BigInteger().with_variant(Integer(), "sqlite")


class SqliteDateTime(UserDefinedType[str]):
    """A column of SQLite with the type name DATETIME and text in it; `UtcDateTime` reads it."""

    cache_ok = True

    def get_col_spec(self, **_kw: Any) -> str:
        return "DATETIME"


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC: an aware `datetime` in Python, ``YYYY-MM-DD HH:MM:SS.ffffff`` in SQLite,
    ``timestamptz`` in PostgreSQL. In SQLite it reads any ISO 8601 text: people insert rows by hand.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return SqliteDateTime()
        return dialect.type_descriptor(DateTime(timezone=True))

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        return _sqlite_text if dialect.name == "sqlite" else _utc

    def result_processor(
        self,
        dialect: Dialect,  # noqa: ARG002 (the signature)
        coltype: object,  # noqa: ARG002
    ) -> Callable[[Any], datetime | None]:
        return _moment


def _utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo is UTC else moment.astimezone(UTC)


def _sqlite_text(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(" ", "microseconds")[:MOMENT_LENGTH]


def _moment(value: Any) -> datetime | None:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if moment is None or moment.tzinfo is UTC:
        return cast(datetime | None, moment)
    return cast(datetime, moment.replace(tzinfo=UTC) if moment.tzinfo is None else _utc(moment))


class Base(DeclarativeBase):
    """The base class of all models, with the metadata of all tables."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
