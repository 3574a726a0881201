"""The table `audit_logs`. Rows are added and never changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import bindparam, insert, select

from core.database.compiled_statements import Statement
from core.database.interface import Change, Conflict, T, Transaction
from core.errors import Unavailable
from models import AuditLog, User

# The actor may have been deleted meanwhile. The event is still written, without the link.
_ACTOR = select(User.id).where(User.id == bindparam("actor_id")).scalar_subquery()
_COLUMNS = AuditLog.__table__.columns
_ROW = select(
    *(
        _ACTOR if column.key == "user_id" else bindparam(column.key, type_=column.type)
        for column in _COLUMNS
    )
)
_INSERT = Statement(insert(AuditLog).from_select(_COLUMNS.keys(), _ROW))


def add(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Insert one row; `row` names every column of `audit_logs`. Raises Unavailable."""
    _checked(tx.execute, _INSERT, {**row, "actor_id": row["user_id"]})


def add_if(tx: Transaction, row: Mapping[str, Any], change: Change) -> bool:
    """Make `change`, and insert `row` if it changed a row. Returns whether it did."""
    return _checked(tx.execute_if, change, _INSERT, {**row, "actor_id": row["user_id"]})


def _checked(run: Callable[..., T], *arguments: Any) -> T:
    try:
        return run(*arguments)
    except Conflict:
        # From a trigger or a constraint that an operator has added: no caller can handle it.
        raise Unavailable("the audit trail refuses the row") from None
