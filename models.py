"""Every row the service keeps: the SQLAlchemy models are the schema.

The stores run Core statements over these tables; no ORM session is ever opened. Times are UTC:
they go in and come out timezone-aware, and SQLite shows them as ``YYYY-MM-DD HH:MM:SS.ffffff``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

# Constraints have names of our own, or no migration could ever drop one (SQLite's batch mode).
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

MOMENT_LENGTH = len("2026-01-01 00:00:00.000000")
# Rows are inserted by hand too; they get a time all the same.
NOW = text("CURRENT_TIMESTAMP")

# A sign count is an unsigned 32-bit number (WebAuthn §6.1): past PostgreSQL's INTEGER.
Counter = BigInteger().with_variant(Integer(), "sqlite")


class SqliteDateTime(UserDefinedType[str]):
    """A column SQLite shows as DATETIME and keeps as text, read by `UtcDateTime`."""

    cache_ok = True

    def get_col_spec(self, **_kw: Any) -> str:
        return "DATETIME"


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC: aware in Python, ``YYYY-MM-DD HH:MM:SS.ffffff`` in SQLite, ``timestamptz``
    in PostgreSQL. Reads any ISO 8601 text, because people insert rows by hand."""

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
    """The one metadata every table hangs on."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


class User(Base):
    """A person. `email` is the canonical form, one per account; `email_typed` is for display."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    first_name: Mapped[str] = mapped_column(Text)
    last_name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    email_typed: Mapped[str | None] = mapped_column(Text)
    date_of_birth: Mapped[datetime] = mapped_column(UtcDateTime)
    job_title: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text, default="user", server_default=text("'user'"))
    disabled: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=NOW)

    __table_args__ = (
        Index("ix_users_email", "email", unique=True),
        CheckConstraint("role IN ('user', 'admin')", name="role"),
    )


class WebAuthnCredential(Base):
    """A passkey's public half, with what the relying party must remember (WebAuthn L3 §4)."""

    __tablename__ = "webauthn_credentials"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id", ondelete="CASCADE"))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(Counter, default=0, server_default=text("0"))
    transports: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    aaguid: Mapped[str | None] = mapped_column(Text)
    backup_eligible: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    backed_up: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    user_verified: Mapped[int] = mapped_column(Integer, default=1, server_default=text("1"))
    name: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=NOW)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_webauthn_credentials_user_id", "user_id"),
        # For the first thousand, at every start: see core/relying_party/decoys.py.
        Index("ix_webauthn_credentials_created_at", "created_at"),
        Index("ix_webauthn_credentials_credential_id", "credential_id", unique=True),
    )


def _index_where(condition: str, name: str, *columns: str) -> Index:
    """An index of the rows that meet `condition` alone."""
    only = text(condition)
    return Index(name, *columns, sqlite_where=only, postgresql_where=only)


class AuditLog(Base):
    """One decision. `user_*` is who acted (or claimed to); `subject_*` is whom it was about."""

    __tablename__ = "audit_logs"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    event_type: Mapped[str] = mapped_column(Text)
    user_email: Mapped[str | None] = mapped_column(Text)
    user_id: Mapped[str | None] = mapped_column(Text, ForeignKey("users.id", ondelete="SET NULL"))
    subject_email: Mapped[str | None] = mapped_column(Text)
    subject_id: Mapped[str | None] = mapped_column(Text)
    ip_address: Mapped[str | None] = mapped_column(Text)
    user_agent: Mapped[str | None] = mapped_column(Text)
    success: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str | None] = mapped_column(Text)
    details: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=NOW)

    __table_args__ = (
        Index("ix_audit_logs_event_type", "event_type"),
        Index("ix_audit_logs_user_email", "user_email"),
        Index("ix_audit_logs_created_at", "created_at"),
        # For the documented questions: what failed, newest first; who logs in from where.
        _index_where("success = 0", "ix_audit_logs_failures", "event_type", "created_at"),
        _index_where(
            "event_type = 'login_complete' AND success = 1",
            *("ix_audit_logs_logins", "event_type", "success", "user_email", "ip_address"),
        ),
    )


class AuditSink(Base):
    """How far one sink of AUDIT_SINK has come, and which worker ships to it just now."""

    __tablename__ = "audit_sinks"

    sink: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int] = mapped_column(Counter, default=0, server_default=text("0"))
    # The last acknowledged row itself: SQLite may number its rows anew.
    row_id: Mapped[str | None] = mapped_column(Text)
    holder: Mapped[str | None] = mapped_column(Text)
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=NOW)
