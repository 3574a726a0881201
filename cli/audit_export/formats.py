"""The formats of the export: each writes rows to standard output, one line for each event."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Sequence
from typing import Any

from core.encoding import escape_unprintable
from services.audit_forwarding.json_formats import ecs, line, ocsf, timestamp
from stores.outbox import EventRow

# Spreadsheets read a cell that begins with one of these as a formula. The last four are the
# full-width forms of the first four.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001

Write = Callable[[Sequence[EventRow]], None]


def columns(row: EventRow) -> dict[str, Any]:
    """The columns of the row, with its time as text."""
    return {**row._asdict(), "created_at": timestamp(row.created_at)}


def json_lines(shape: Callable[[EventRow], dict[str, Any]]) -> Write:
    """Writes one JSON object per line."""
    return lambda rows: sys.stdout.writelines(line(shape(row)) for row in rows)


def table() -> Write:
    """Writes CSV (RFC 4180), beginning with a line of column names."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(EventRow._fields)
    return lambda rows: out.writerows(
        [cell(value) for value in columns(row).values()] for row in rows
    )


def cell(value: Any) -> str:
    """The value as text that no spreadsheet reads as a formula, without line breaks."""
    text = "" if value is None else str(value)
    return ("'" if text.startswith(FORMULA) else "") + escape_unprintable(text)


# Calling one begins the output; what it returns writes rows.
FORMATS: dict[str, Callable[[], Write]] = {
    "jsonl": lambda: json_lines(columns),
    "csv": table,
    "ecs": lambda: json_lines(ecs),
    "ocsf": lambda: json_lines(ocsf),
}
