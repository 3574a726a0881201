"""The table `webauthn_credentials`: one row for each passkey."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, func, insert, select, update

from core.database.compiled_statements import Statement
from core.database.interface import Change, Conflict, Transaction
from core.ids import random_id
from core.relying_party.credential_record import (
    CredentialRecord,
    NewCredentialRecord,
    user_handle,
)
from models import User, WebAuthnCredential
from stores.users import Owner


class CredentialTaken(Exception):
    """An account has registered this credential id before. `reason` is for the audit row."""

    reason = "credential_taken"


class CredentialRow(NamedTuple):
    """One passkey, without its name and last use."""

    id: str
    user_id: str
    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: str
    aaguid: str | None
    backup_eligible: int
    backed_up: int
    user_verified: int
    created_at: datetime

    @classmethod
    def of(cls, user_id: str, record: NewCredentialRecord, created_at: datetime) -> CredentialRow:
        """The row for the new passkey `record` of an account."""
        return cls(
            id=random_id(),
            user_id=user_id,
            credential_id=record.credential_id,
            public_key=record.public_key,
            sign_count=record.sign_count,
            transports=",".join(record.transports),
            aaguid=record.aaguid,
            backup_eligible=int(record.backup_eligible),
            backed_up=int(record.backed_up),
            user_verified=int(record.user_verified),
            created_at=created_at,
        )


class Passkey(NamedTuple):
    """The columns of a passkey that a login is verified against."""

    id: str
    credential_id: bytes
    public_key: bytes
    sign_count: int
    backup_eligible: int


class Account(NamedTuple):
    """What `/login/begin` needs to know about an email.

    `descriptors`: the credential id and the transports of each passkey.
    """

    user_id: str
    disabled: bool
    descriptors: tuple[tuple[bytes, str], ...]


_CREDENTIAL_COLUMNS = tuple(getattr(WebAuthnCredential, name) for name in CredentialRow._fields)
_PASSKEY_COLUMNS = tuple(getattr(WebAuthnCredential, name) for name in Passkey._fields)
_OWNER_COLUMNS = tuple(getattr(User, name) for name in Owner._fields)
_INSERT = Statement(
    insert(WebAuthnCredential).values(
        {column.key: bindparam(column.key) for column in _CREDENTIAL_COLUMNS}
    )
)

_EARLIEST = select(WebAuthnCredential).order_by(WebAuthnCredential.created_at).limit(1)
# For an unknown credential id or email the oldest passkey or its owner is read instead, and not
# used. Both cases do the same work, so the time does not tell whether an account exists.
_KEY = select(WebAuthnCredential.credential_id).where(
    WebAuthnCredential.credential_id == bindparam("credential_id")
)
_ANY_KEY = _EARLIEST.with_only_columns(WebAuthnCredential.credential_id)
_WITH_OWNER = Statement(
    select(*_PASSKEY_COLUMNS, *_OWNER_COLUMNS)
    .join(User, User.id == WebAuthnCredential.user_id)
    .where(
        WebAuthnCredential.credential_id
        == func.coalesce(_KEY.scalar_subquery(), _ANY_KEY.scalar_subquery())
    )
)
_OWNER = select(User.id).where(User.email == bindparam("email"))
_ANY_OWNER = _EARLIEST.with_only_columns(WebAuthnCredential.user_id)
_BY_EMAIL = Statement(
    select(
        User.email,
        User.id,
        User.disabled,
        WebAuthnCredential.credential_id,
        WebAuthnCredential.transports,
    )
    .outerjoin(WebAuthnCredential, User.id == WebAuthnCredential.user_id)
    .where(User.id == func.coalesce(_OWNER.scalar_subquery(), _ANY_OWNER.scalar_subquery()))
    .order_by(WebAuthnCredential.created_at, WebAuthnCredential.id)
)
# The condition decides a race: of two logins with one sign count, the second changes no row.
_USED = Statement(
    update(WebAuthnCredential)
    .where(
        WebAuthnCredential.id == bindparam("key"),
        (WebAuthnCredential.sign_count < bindparam("new_count"))
        | ((WebAuthnCredential.sign_count == 0) & (bindparam("new_count") == 0)),
    )
    .values(
        sign_count=bindparam("new_count"),
        backed_up=bindparam("new_backed_up"),
        user_verified=1,
        last_used_at=bindparam("moment"),
    )
)


def record_of(passkey: Passkey, owner: Owner) -> CredentialRecord:
    """The part of the credential record that a login with `passkey` is verified against."""
    return CredentialRecord(
        public_key=passkey.public_key,
        sign_count=passkey.sign_count,
        backup_eligible=bool(passkey.backup_eligible),
        user_handle=user_handle(owner.id),
    )


def transports_in(text: str) -> tuple[str, ...]:
    """The transports in the text of the column `transports`, which joins them with commas."""
    return tuple(filter(None, text.split(",")))


def add(tx: Transaction, credential: CredentialRow) -> None:
    """Insert a passkey. Raises CredentialTaken."""
    try:
        tx.execute(_INSERT, credential._asdict())
    except Conflict:
        # The owner was inserted in this transaction: only the credential id can be taken.
        raise CredentialTaken from None


def with_owner(tx: Transaction, credential_id: bytes) -> tuple[Passkey, Owner] | None:
    """The passkey with this credential id and its owner, or None."""
    row = tx.execute(_WITH_OWNER, {"credential_id": credential_id}).first()
    if row is None:
        return None
    split = len(_PASSKEY_COLUMNS)
    passkey, owner = Passkey._make(row[:split]), Owner._make(row[split:])
    return (passkey, owner) if passkey.credential_id == credential_id else None


def account_of(tx: Transaction, email: str) -> Account | None:
    """The account with this canonical email, or None."""
    rows = tx.execute(_BY_EMAIL, {"email": email}).all()
    if not rows:
        return None
    # An account without a passkey gives one row whose passkey columns are None.
    passkeys = tuple((key, transports) for _, _, _, key, transports in rows if key)
    found, user_id, disabled, _, _ = rows[0]
    account = Account(user_id, bool(disabled), passkeys)
    return account if found == email else None


def used(key: str, *, sign_count: int, backed_up: bool, moment: datetime) -> Change:
    """The change that a login makes to the passkey with the id `key`.

    It changes no row if `sign_count` is not greater than the stored one (WebAuthn L3 §7.2 step 24),
    unless both are 0.
    """
    values = {
        "key": key,
        "new_count": sign_count,
        "new_backed_up": int(backed_up),
        "moment": moment,
    }
    return Change(_USED, values)
