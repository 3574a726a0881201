"""Every row that the service keeps: these SQLAlchemy models are the schema.

The stores run Core statements over the tables; the service opens no ORM session. Times are
timezone-aware and in UTC; SQLite stores them as text, ``YYYY-MM-DD HH:MM:SS.ffffff``.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.database.types import Base, Counter, UtcDateTime

# For rows that people insert by hand.
NOW = text("CURRENT_TIMESTAMP")


class User(Base):
    """An account. `email` is the canonical form and unique; `email_typed` is for display."""

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
    """A passkey: the credential record of WebAuthn L3 §4."""

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
        # stores/credentials.py reads the oldest in the place of one that does not exist.
        Index("ix_webauthn_credentials_created_at", "created_at"),
        Index("ix_webauthn_credentials_credential_id", "credential_id", unique=True),
    )


def _index_where(condition: str, name: str, *columns: str) -> Index:
    """A partial index: only the rows that meet `condition`."""
    only = text(condition)
    return Index(name, *columns, sqlite_where=only, postgresql_where=only)


class AuditLog(Base):
    """One event. `user_*` is the actor, as claimed; `subject_*` is the account it was about."""

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
        # For two documented queries: the newest failures, and the addresses of logins.
        _index_where("success = 0", "ix_audit_logs_failures", "event_type", "created_at"),
        _index_where(
            "event_type = 'login_complete' AND success = 1",
            *("ix_audit_logs_logins", "event_type", "success", "user_email", "ip_address"),
        ),
    )


class AuditSink(Base):
    """One sink of AUDIT_SINK: the last row it acknowledged, and the worker that forwards to it."""

    __tablename__ = "audit_sinks"

    sink: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int] = mapped_column(Counter, default=0, server_default=text("0"))
    # The id of the last acknowledged row: VACUUM may change the row numbers of SQLite.
    row_id: Mapped[str | None] = mapped_column(Text)
    holder: Mapped[str | None] = mapped_column(Text)
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=NOW)
