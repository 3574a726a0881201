"""The SQL constructs that stores may use, each as a statement over the service's tables.

test_compiled_statements.py, here and in tests/production, runs each of them through the service's
own execution and through SQLAlchemy's `Connection.execute`, and compares what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Executable,
    and_,
    bindparam,
    case,
    cast,
    column,
    delete,
    exists,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    union_all,
    update,
)
from sqlalchemy import Integer as SqlInteger
from sqlalchemy import Text as SqlText
from sqlalchemy.dialects import postgresql, sqlite

from core.database.types import UtcDateTime
from models import AuditLog, AuditSink, User, WebAuthnCredential

BORN = datetime(1990, 1, 15, tzinfo=UTC)
T0 = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
EAST = timezone(timedelta(hours=5, minutes=30))
NO_VALUES: Mapping[str, Any] = {}


class Case(NamedTuple):
    """One statement with the values of its parameters."""

    statement: Executable
    values: Mapping[str, Any] = NO_VALUES


def fill(connection: Connection) -> None:
    """Three people, two passkeys and six audit rows, written by SQLAlchemy itself."""
    for number, name in enumerate(("ada", "bob", "eve")):
        row = {"id": f"u{number}", "first_name": name, "last_name": "Doe", "email": f"{name}@x"}
        more = {"date_of_birth": BORN, "job_title": "%_", "created_at": T0 + number * DAY}
        connection.execute(insert(User).values(**row, **more))
    for number, owner in enumerate(("u0", "u0")):
        key = {"id": f"k{number}", "user_id": owner, "credential_id": bytes([number, 0, 255])}
        more = {"public_key": b"\0key", "created_at": T0, "sign_count": 2**32 - 1 - number}
        connection.execute(insert(WebAuthnCredential).values(**key, **more))
    for number in range(6):
        event = {"id": f"a{number}", "event_type": "note", "success": number % 2}
        # Pairs of rows have one moment: paging must order them by their ids.
        more = {"user_id": "u0" if number < 3 else None, "created_at": T0 + number // 2 * DAY}
        connection.execute(insert(AuditLog).values(**event, **more))


DAY = timedelta(days=1)
_first = select(WebAuthnCredential).order_by(WebAuthnCredential.created_at).limit(1)
_mine = select(User.id).where(User.email == bindparam("email"))
_failed = select(AuditLog.id, AuditLog.created_at).where(AuditLog.success == 0).cte("failed")

# Run by `tx.execute`: constants, with their values by name.
READS: dict[str, Case] = {
    "a row by its key": Case(select(User).where(User.id == bindparam("id")), {"id": "u1"}),
    "no row": Case(select(User.id).where(User.id == bindparam("id")), {"id": "nobody"}),
    "a moment in UTC": Case(
        select(User.id, User.created_at).where(User.created_at >= bindparam("at")),
        {"at": T0 + DAY},
    ),
    "a moment of another zone": Case(
        select(User.id, User.created_at).where(User.created_at >= bindparam("at")),
        {"at": (T0 + DAY).astimezone(EAST)},
    ),
    "bytes": Case(
        select(WebAuthnCredential.public_key).where(
            WebAuthnCredential.credential_id == bindparam("key")
        ),
        {"key": b"\0\0\xff"},
    ),
    "a number past 31 bits": Case(
        select(WebAuthnCredential.id).where(WebAuthnCredential.sign_count == bindparam("count")),
        {"count": 2**32 - 1},
    ),
    "nothing, compared with IS": Case(select(AuditLog.id).where(AuditLog.user_id.is_(None))),
    "a join": Case(
        select(User.email, WebAuthnCredential.id, WebAuthnCredential.created_at)
        .join(User, User.id == WebAuthnCredential.user_id)
        .order_by(WebAuthnCredential.id)
    ),
    "an outer join": Case(
        select(User.id, WebAuthnCredential.id, WebAuthnCredential.created_at)
        .outerjoin(WebAuthnCredential, User.id == WebAuthnCredential.user_id)
        .order_by(User.id, WebAuthnCredential.id)
    ),
    "a column twice": Case(select(User.id, User.id, User.email).order_by(User.id)),
    "columns of one name": Case(
        select(User.id, WebAuthnCredential.id).join(
            WebAuthnCredential, User.id == WebAuthnCredential.user_id
        )
    ),
    "one of two scalar subqueries": Case(
        select(User.id, User.email).where(
            User.id
            == func.coalesce(
                _mine.scalar_subquery(),
                _first.with_only_columns(WebAuthnCredential.user_id).scalar_subquery(),
            )
        ),
        {"email": "nobody@x"},
    ),
    "a parameter twice": Case(
        select(User.id).where(or_(User.id == bindparam("x"), User.email == bindparam("x"))),
        {"x": "u1"},
    ),
    "a limit": Case(select(User.id).order_by(User.id).limit(bindparam("rows")), {"rows": 2}),
    "a limit in the statement": Case(select(User.id).order_by(User.id).limit(2).offset(1)),
    "between": Case(
        select(User.id).where(User.created_at.between(bindparam("a"), bindparam("b"))),
        {"a": T0, "b": T0 + DAY},
    ),
    "LIKE with an escape": Case(
        select(User.id).where(User.job_title.like(bindparam("some"), escape="\\")),
        {"some": "\\%\\_"},
    ),
    "a percent sign in the statement": Case(select(User.id).where(User.job_title == "%_")),
    "IN a subquery": Case(select(User.id).where(User.id.in_(select(WebAuthnCredential.user_id)))),
    "EXISTS": Case(select(User.id).where(exists().where(WebAuthnCredential.user_id == User.id))),
    "CASE and CAST": Case(
        select(
            AuditLog.id,
            case((AuditLog.success == 1, "well"), else_=cast(AuditLog.success, SqlText)),
        ).order_by(AuditLog.id)
    ),
    "an aggregate": Case(
        select(AuditLog.event_type, func.count(), func.max(AuditLog.created_at))
        .group_by(AuditLog.event_type)
        .having(func.count() > bindparam("least")),
        {"least": 3},
    ),
    "DISTINCT": Case(select(AuditLog.created_at).distinct().order_by(AuditLog.created_at)),
    "a window": Case(
        select(AuditLog.id, func.row_number().over(order_by=AuditLog.id)).order_by(AuditLog.id)
    ),
    "a union": Case(
        union_all(
            select(User.id, User.created_at).where(User.id == bindparam("id")),
            select(AuditLog.id, AuditLog.created_at).where(AuditLog.id == "a5"),
        ),
        {"id": "u2"},
    ),
    "WITH": Case(select(_failed.c.id, _failed.c.created_at).order_by(_failed.c.id)),
    "a literal column": Case(select(literal_column("1"), literal("x"), User.id).limit(1)),
    "FOR SHARE": Case(select(User.id).where(User.id == "u0").with_for_update(read=True)),
}


def _new_user(**values: Any) -> dict[str, Any]:
    return {
        "id": "u9",
        "first_name": "Zoe",
        "last_name": "Doe",
        "email": "zoe@x",
        "date_of_birth": BORN,
        "job_title": "",
        # Or the database would say when, and never twice the same.
        "created_at": T0.astimezone(EAST),
        **values,
    }


_USER: dict[str, Any] = {name: bindparam(name) for name in _new_user()}
_ACTOR = select(User.id).where(User.id == bindparam("actor")).scalar_subquery()


def changes(dialect: str) -> dict[str, Case]:
    """Run by `tx.execute`, too."""
    own: Any = sqlite if dialect == "sqlite" else postgresql
    upsert = own.insert(AuditSink).values(sink=bindparam("sink"), updated_at=T0)
    return {
        "INSERT, with defaults of the model": Case(insert(User).values(_USER), _new_user()),
        "INSERT with RETURNING": Case(
            insert(User).values(_USER).returning(User.id, User.created_at), _new_user()
        ),
        "INSERT from SELECT": Case(
            insert(AuditLog).from_select(
                ["id", "event_type", "success", "created_at", "user_id"],
                select(
                    bindparam("new", type_=AuditLog.id.type),
                    literal("note"),
                    literal(1),
                    literal(T0, UtcDateTime),
                    _ACTOR,
                ),
            ),
            {"new": "a9", "actor": "gone"},
        ),
        "INSERT or nothing": Case(upsert.on_conflict_do_nothing(), {"sink": "stdout"}),
        "INSERT or UPDATE": Case(
            upsert.on_conflict_do_update(index_elements=["sink"], set_={"position": 7}),
            {"sink": "stdout"},
        ),
        "UPDATE, some rows": Case(
            update(AuditLog)
            .where(AuditLog.success == bindparam("kind"))
            .values(details="seen", created_at=bindparam("at")),
            {"kind": 0, "at": T0},
        ),
        "UPDATE by an expression": Case(
            update(WebAuthnCredential)
            .where(and_(WebAuthnCredential.id == bindparam("key")))
            .values(sign_count=WebAuthnCredential.sign_count + bindparam("step")),
            {"key": "k1", "step": 1},
        ),
        "UPDATE, no row": Case(
            update(User).where(User.id == bindparam("key")).values(role="admin"), {"key": "x"}
        ),
        "UPDATE with RETURNING": Case(
            update(User)
            .where(User.id == bindparam("key"))
            .values(created_at=bindparam("at"))
            .returning(User.created_at, User.id),
            {"key": "u1", "at": T0},
        ),
        "DELETE": Case(
            delete(AuditLog).where(AuditLog.created_at < bindparam("at")), {"at": T0 + DAY}
        ),
        "DELETE with RETURNING": Case(
            delete(AuditLog).where(AuditLog.id == bindparam("key")).returning(AuditLog.created_at),
            {"key": "a0"},
        ),
    }


def _search(**wanted: Any) -> Executable:
    """What an admin's search builds: a filter for each field that was filled in."""
    query = select(AuditLog.id, AuditLog.created_at, AuditLog.user_id)
    for name, value in wanted.items():
        query = query.where(getattr(AuditLog, name) == value)
    return query.order_by(AuditLog.id)


def _page(after: tuple[datetime, str], rows: int) -> Executable:
    """Keyset paging, newest first."""
    place = tuple_(AuditLog.created_at, AuditLog.id)
    return (
        select(AuditLog.id, AuditLog.created_at)
        .where(place < tuple_(literal(after[0], UtcDateTime), literal(after[1])))
        .order_by(AuditLog.created_at.desc(), AuditLog.id.desc())
        .limit(rows)
    )


Make = Callable[[], Executable]
# Run by `tx.query`: built for one call, with the values inside.
QUERIES: dict[str, Make] = {
    "an IN list": lambda: select(User.id).where(User.id.in_(["u0", "u2", "x"])),
    "a longer IN list": lambda: select(User.id).where(User.id.in_([f"u{n}" for n in range(50)])),
    "an empty IN list": lambda: select(User.id).where(User.id.in_([])),
    "NOT IN": lambda: select(User.id).where(User.id.not_in(["u0", "u2"])),
    "an empty NOT IN": lambda: select(User.id).where(User.id.not_in([])).order_by(User.id),
    "an IN list of moments": lambda: select(User.id, User.created_at).where(
        User.created_at.in_([T0, (T0 + DAY).astimezone(EAST)])
    ),
    "an IN list of bytes": lambda: select(WebAuthnCredential.id).where(
        WebAuthnCredential.credential_id.in_([b"\0\0\xff", b""])
    ),
    "an IN list of pairs": lambda: select(User.id).where(
        tuple_(User.id, User.email).in_([("u0", "ada@x"), ("u1", "ada@x")])
    ),
    "two IN lists": lambda: select(User.id).where(
        User.id.in_(["u0", "u1"]), User.email.in_(["bob@x", "eve@x"])
    ),
    "a search with no filter": lambda: _search(),
    "a search with one filter": lambda: _search(success=1),
    "a search with two filters": lambda: _search(success=1, user_id="u0"),
    "a search for nothing there": lambda: _search(user_id=None),
    "the first page": lambda: _page((T0 + 9 * DAY, ""), 4),
    "the next page": lambda: _page((T0 + DAY, "a2"), 4),
    "the last page": lambda: _page((T0, "a0"), 4),
    "a part of a name": lambda: select(User.id).where(User.email.icontains("B", autoescape=True)),
    "hostile text": lambda: select(User.id).where(User.email == "x' OR '1'='1' -- %s ? $1 :x"),
    "a number that is cast": lambda: select(cast(literal("7"), SqlInteger)),
    "a union of searches": lambda: union_all(
        select(User.id, User.created_at).where(User.id.in_(["u0"])),
        select(AuditLog.id, AuditLog.created_at).where(AuditLog.id.in_(["a5", "a4"])),
    ).order_by("id"),
    "text with its columns": lambda: text("SELECT id, created_at FROM users ORDER BY id").columns(
        column("id"), column("created_at", UtcDateTime)
    ),
    "text with a value": lambda: (
        text("SELECT id FROM users WHERE email = :email")
        .bindparams(email="bob@x")
        .columns(column("id"))
    ),
}
QUERIED_CHANGES: dict[str, Make] = {
    "UPDATE of an IN list": lambda: (
        update(AuditLog).where(AuditLog.id.in_(["a0", "a3", "x"])).values(details="seen")
    ),
    "UPDATE of what was given": lambda: (
        update(User).where(User.id == "u1").values({"role": "admin", "created_at": T0})
    ),
    "DELETE of an IN list": lambda: delete(AuditLog).where(AuditLog.id.in_(["a1", "a2"])),
    "INSERT of several rows": lambda: insert(User).values(
        [_new_user(), _new_user(id="u8", email="yan@x")]
    ),
    "INSERT with RETURNING": lambda: (
        insert(User).values(_new_user()).returning(User.id, User.created_at)
    ),
    "a change in WITH": lambda: select(
        delete(AuditLog).where(AuditLog.id == "a0").returning(AuditLog.id).cte("gone").c.id
    ),
}
# SQLite knows no change in WITH.
POSTGRES_ONLY = {"a change in WITH"}
