"""The table `users`."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, insert, select

from core.database.compiled_statements import Statement
from core.database.interface import Conflict, Transaction
from models import User


class EmailTaken(Exception):
    """Another account has this email. `reason` is for the audit row."""

    reason = "email_taken"


class UserRow(NamedTuple):
    """One account, as its row is now."""

    id: str
    first_name: str
    last_name: str
    email: str
    email_typed: str | None
    date_of_birth: datetime
    job_title: str
    role: str
    disabled: int
    created_at: datetime


class Owner(NamedTuple):
    """The owner of a passkey: the columns that a login needs."""

    id: str
    first_name: str
    last_name: str
    email: str
    role: str
    disabled: int


COLUMNS = tuple(getattr(User, name) for name in UserRow._fields)
_INSERT = Statement(insert(User).values({column.key: bindparam(column.key) for column in COLUMNS}))
_BY_ID = Statement(select(*COLUMNS).where(User.id == bindparam("id")))
_ID_BY_EMAIL = Statement(select(User.id).where(User.email == bindparam("email")))


def add(tx: Transaction, user: UserRow) -> None:
    """Insert an account. Raises EmailTaken."""
    try:
        tx.execute(_INSERT, user._asdict())
    except Conflict:
        # The id is random: only the email can be taken.
        raise EmailTaken from None


def by_id(tx: Transaction, user_id: str) -> UserRow | None:
    """The account with this id, or None."""
    row = tx.execute(_BY_ID, {"id": user_id}).first()
    return None if row is None else UserRow(*row)


def id_of(tx: Transaction, email: str) -> str | None:
    """The id of the account with this canonical email, or None."""
    found: str | None = tx.execute(_ID_BY_EMAIL, {"email": email}).scalar()
    return found
