"""The stores' statements, compiled once for the driver that runs them.

SQLAlchemy Core says what a statement means; at run time nothing of it is left but the text, the
order of its values, and the few conversions that columns ask for. A compiled statement costs 5 µs
where the engine's own way costs 60.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    ClauseElement,
    Executable,
    Insert,
    Select,
    Table,
    Update,
    insert,
    literal_column,
)
from sqlalchemy.engine import Dialect

Convert = Callable[[Any], Any]
Conversions = tuple[tuple[int, Convert], ...]


class Plan(NamedTuple):
    """A statement as a driver takes it."""

    sql: str
    returns_rows: bool
    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    constants: Mapping[str, Any]
    writers: Conversions
    readers: Conversions

    def bind(self, values: Mapping[str, Any]) -> Sequence[Any]:
        """The driver's arguments, in their order, for the values by name. Raises KeyError."""
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
        """The rows that the driver gave, with the values that columns promise."""
        if not self.readers or not rows:
            return rows
        return [self._converted(row) for row in rows]

    def _converted(self, row: Sequence[Any]) -> tuple[Any, ...]:
        values = list(row)
        for place, read in self.readers:
            values[place] = read(values[place])
        return tuple(values)


def _picker(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """What takes the values of `names` out of a mapping, in their order."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)


def _in_one(change: Update, then: Insert) -> Insert:
    """`then` after `change`, for PostgreSQL (§7.8.4, data-modifying statements in WITH)."""
    changed = change.returning(literal_column("1")).cte("changed")
    rows = cast(Select[Any], then.select).select_from(changed)
    table = cast(Table, then.table)
    return insert(table).from_select(table.columns.keys(), rows)


class Plans:
    """The plans of one dialect, made when a statement is first run.

    Statements are constants of the stores: each is known by its identity and kept for ever.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._plans: dict[Executable, Plan] = {}
        self._pairs: dict[tuple[Update, Insert], Plan] = {}

    def of(self, statement: Executable) -> Plan:
        """How to run `statement`."""
        plan = self._plans.get(statement)
        if plan is None:
            plan = self._plans[statement] = self._compile(statement)
        return plan

    def of_both(self, change: Update, then: Insert) -> Plan:
        """How to run `then` for each row that `change` changes, in one statement."""
        plan = self._pairs.get((change, then))
        if plan is None:
            plan = self._pairs[change, then] = self._compile(_in_one(change, then))
        return plan

    def _compile(self, statement: Executable) -> Plan:
        compiled: Any = cast(ClauseElement, statement).compile(dialect=self._dialect)
        names = tuple(compiled.positiontup or ())
        binds = [compiled.binds[name] for name in names]
        return Plan(
            sql=str(compiled),
            returns_rows=isinstance(statement, Select) or bool(compiled.effective_returning),
            pick=_picker(names),
            constants={
                **{
                    name: bind.value
                    for name, bind in zip(names, binds, strict=True)
                    if not bind.required
                },
                # What the engine would fill in: defaults of columns that were not named.
                **{column.key: column.default.arg for column in compiled.insert_prefetch},
            },
            writers=self._conversions([bind.type for bind in binds], "bind_processor"),
            readers=self._readers(statement),
        )

    def _readers(self, statement: Executable) -> Conversions:
        if not isinstance(statement, Select):
            return ()
        types = [column.type for column in statement.selected_columns]
        return self._conversions(types, "result_processor", None)

    def _conversions(self, types: Sequence[Any], kind: str, *more: Any) -> Conversions:
        found = (
            (place, getattr(of.dialect_impl(self._dialect), kind)(self._dialect, *more))
            for place, of in enumerate(types)
        )
        return tuple((place, convert) for place, convert in found if convert is not None)
