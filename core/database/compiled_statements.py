"""Compiles SQLAlchemy Core statements and runs them without SQLAlchemy's engine.

Constants of the stores (`Statement`) are compiled once for each driver: a compiled statement costs
5 µs where SQLAlchemy's `Connection.execute` costs 18 to 60. The plan is kept in the `Statement`
itself and lives as long as it. Statements that are built for one call go through SQLAlchemy's own
compiled cache, which is bounded (`Plans.of_query`).

This file uses names that SQLAlchemy does not document (`_compile_w_cache`, `_result_columns`,
`_bind_processors`, `_process_parameters_for_postcompile`). tests/storage/constructs.py runs each
construct that the service may use, and compares it with SQLAlchemy's own `Connection.execute`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, cast
from weakref import WeakKeyDictionary

from sqlalchemy import (
    JSON,
    CompoundSelect,
    Delete,
    Executable,
    Insert,
    Select,
    SelectBase,
    Table,
    TextClause,
    Update,
    UpdateBase,
    insert,
    literal_column,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.util import LRUCache

Convert = Callable[[Any], Any]
Conversions = tuple[tuple[int, Convert], ...]
# How many forms of statements SQLAlchemy's compiled cache keeps for each driver.
CACHED_QUERIES = 256


class UnsupportedStatement(TypeError):
    """A statement uses a construct that this file does not run as SQLAlchemy would."""


class Plan(NamedTuple):
    """A compiled statement: the driver's text, and how values go in and rows come out."""

    sql: str
    returns_rows: bool
    changes: bool
    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    constants: Mapping[str, Any]
    writers: Conversions
    readers: Conversions

    def bind(self, values: Mapping[str, Any]) -> Sequence[Any]:
        """The driver's arguments in their order, for the values by name. Raises KeyError."""
        if self.constants:
            values = {**self.constants, **values}
        picked = self.pick(values)
        if not self.writers:
            return picked
        arguments = list(picked)
        for place, write in self.writers:
            arguments[place] = write(arguments[place])
        return arguments

    def read(self, rows: list[Any]) -> list[Any]:
        """The driver's rows, with their values converted to the columns' Python types."""
        if not self.readers or not rows:
            return rows
        return [self._converted(row) for row in rows]

    def _converted(self, row: Sequence[Any]) -> tuple[Any, ...]:
        values = list(row)
        for place, read in self.readers:
            values[place] = read(values[place])
        return tuple(values)


class Statement:
    """A constant of a store: a SELECT, INSERT, UPDATE or DELETE with its values as `bindparam`.

    Make it once, at import: it is compiled when it first runs, and holds its plans.
    """

    __slots__ = ("__weakref__", "clause", "pairs", "plans")

    def __init__(self, clause: Executable) -> None:
        self.clause = clause
        # By the name of the dialect.
        self.plans: dict[str, Plan] = {}
        # For `execute_if` on PostgreSQL: the plan of this UPDATE together with an INSERT.
        self.pairs: WeakKeyDictionary[Statement, Plan] = WeakKeyDictionary()

    def __str__(self) -> str:
        return str(self.clause)


class Plans:
    """Makes plans for one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.name = dialect.name
        self._dialect = dialect
        self._compiled: LRUCache[Any, Any] = LRUCache(CACHED_QUERIES)

    def of(self, statement: Statement) -> Plan:
        """How to run a constant."""
        plan = statement.plans.get(self.name)
        if plan is None:
            plan = statement.plans[self.name] = self._compile(statement.clause)
        return plan

    def of_both(self, change: Statement, then: Statement) -> Plan:
        """How to run `then` for each row that `change` changes, as one statement."""
        plan = change.pairs.get(then)
        if plan is None:
            both = _in_one(cast(Update, change.clause), cast(Insert, then.clause))
            plan = change.pairs[then] = self._compile(both)
        return plan

    def of_query(self, statement: Executable) -> Plan:
        """How to run a statement with the values that it holds. Nothing of it is kept but its form,
        in a cache of CACHED_QUERIES.
        """
        if not isinstance(statement, SelectBase | UpdateBase | TextClause):
            raise UnsupportedStatement(f"a query cannot be a {type(statement).__name__}")
        compiled, extracted, collected, _ = cast(Any, statement)._compile_w_cache(
            self._dialect, compiled_cache=self._compiled, column_keys=[]
        )
        _refuse_implicit(compiled)
        values = compiled.construct_params(
            extracted_parameters=extracted, escape_names=False, _collected_params=collected
        )
        # IN lists get a parameter for each of their values here.
        expanded = compiled._process_parameters_for_postcompile({**values, **_defaults(compiled)})
        processors = {**compiled._bind_processors, **expanded.processors}
        arguments = tuple(
            processors[name](expanded.parameters[name])
            if name in processors
            else expanded.parameters[name]
            for name in expanded.positiontup or ()
        )
        return Plan(
            sql=expanded.statement,
            returns_rows=_returns_rows(statement, compiled),
            changes=_changes(statement, compiled),
            pick=lambda _values: arguments,
            constants={},
            writers=(),
            readers=self._readers(compiled),
        )

    def _compile(self, statement: Executable) -> Plan:
        _refuse_kind(statement)
        compiled: Any = cast(Any, statement).compile(dialect=self._dialect)
        names = tuple(compiled.positiontup or ())
        binds = [compiled.binds[name] for name in names]
        _refuse_implicit(compiled)
        _refuse_binds(statement, compiled, binds)
        fixed = {
            name: bind.value for name, bind in zip(names, binds, strict=True) if not bind.required
        }
        return Plan(
            sql=str(compiled),
            returns_rows=_returns_rows(statement, compiled),
            changes=_changes(statement, compiled),
            pick=_picker(names),
            constants={**fixed, **_defaults(compiled)},
            writers=self._conversions((bind.type for bind in binds), "bind_processor"),
            readers=self._readers(compiled),
        )

    def _readers(self, compiled: Any) -> Conversions:
        types = (column.type for column in compiled._result_columns)
        return self._conversions(types, "result_processor", None)

    def _conversions(self, types: Iterable[Any], kind: str, *more: Any) -> Conversions:
        found = (
            (place, getattr(self._checked(of), kind)(self._dialect, *more))
            for place, of in enumerate(types)
        )
        return tuple((place, convert) for place, convert in found if convert is not None)

    def _checked(self, of: Any) -> Any:
        # SQLAlchemy prepares each connection for JSON; the connections here are the driver's own.
        if isinstance(of, JSON):
            raise UnsupportedStatement("JSON columns are not supported")
        return of.dialect_impl(self._dialect)


def _picker(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """A function that takes the values of `names` out of a mapping, in their order."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)


def _in_one(change: Update, then: Insert) -> Insert:
    """`then` after `change`, for PostgreSQL (§7.8.4, data-modifying statements in WITH)."""
    changed = change.returning(literal_column("1")).cte("changed")
    rows = cast(Select[Any], then.select).select_from(changed)
    table = cast(Table, then.table)
    return insert(table).from_select(table.columns.keys(), rows)


def _returns_rows(statement: Executable, compiled: Any) -> bool:
    return isinstance(statement, SelectBase) or bool(getattr(compiled, "effective_returning", None))


def _changes(statement: Executable, compiled: Any) -> bool:
    """Whether the statement may change rows: all but a SELECT, and one with a change in WITH."""
    if not isinstance(statement, SelectBase):
        return True
    return any(isinstance(cte.element, UpdateBase) for cte in compiled.ctes or ())


def _defaults(compiled: Any) -> dict[str, Any]:
    """The values of columns that the statement does not name and the model has a default for."""
    return dict(_scalar_defaults(compiled))


def _scalar_defaults(compiled: Any) -> Iterator[tuple[str, Any]]:
    for column in compiled.insert_prefetch:
        yield column.key, _scalar(column.default, column.key)
    for column in compiled.update_prefetch:
        yield column.key, _scalar(column.onupdate, column.key)


def _scalar(default: Any, column: str) -> Any:
    if default is None or not default.is_scalar:
        raise UnsupportedStatement(f"column {column!r}: only a constant default is supported")
    return default.arg


def _refuse_kind(statement: Executable) -> None:
    if not isinstance(statement, Select | CompoundSelect | Insert | Update | Delete):
        raise UnsupportedStatement(f"a constant cannot be a {type(statement).__name__}")


def _refuse_implicit(compiled: Any) -> None:
    if getattr(compiled, "implicit_returning", None) or compiled.postfetch_lastrowid:
        raise UnsupportedStatement("the key that the database makes must be asked for: returning()")


def _refuse_binds(statement: Executable, compiled: Any, binds: Iterable[Any]) -> None:
    if compiled.post_compile_params or compiled.literal_execute_params:
        raise UnsupportedStatement("an IN list is not constant: use tx.query")
    if any(bind.callable is not None for bind in binds):
        raise UnsupportedStatement("a value that is a function is not constant: use tx.query")
    if isinstance(statement, Insert) and statement._multi_values:
        raise UnsupportedStatement("VALUES with several rows are not constant: use tx.query")
