"""The audit trail's table: rows are added, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, insert, select

from core.database import Conflict, Transaction
from core.errors import Unavailable
from models import AuditLog, User

# The actor may have been deleted a moment ago; the event is kept all the same, without the link.
_ACTOR = select(User.id).where(User.id == bindparam("actor_id")).scalar_subquery()
_INSERT = insert(AuditLog).values(
    {
        column.key: _ACTOR if column.key == "user_id" else bindparam(column.key)
        for column in AuditLog.__table__.columns
    }
)


def add(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Insert one row; `row` names every column of `audit_logs`. Raises Unavailable."""
    try:
        tx.execute(_INSERT, {**row, "actor_id": row["user_id"]})
    except Conflict:
        # A trigger or a constraint that an operator has put there; no caller can explain it.
        raise Unavailable("the audit trail refuses the row") from None
