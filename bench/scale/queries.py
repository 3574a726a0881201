"""The documented queries of the audit trail, timed as they stand in the README."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
QUERY_TIMEOUT_SECONDS = 120
CHECK_EVERY = 1_000_000


@dataclass(frozen=True)
class Timed:
    """A query's second run, with every row fetched; no seconds after a timeout."""

    title: str
    seconds: float | None
    rows: int
    plan: str


def documented() -> dict[str, str]:
    """The queries of the README by the comment above each."""
    readme = (ROOT / "README.md").read_text("utf-8")
    block = re.search(r"```sql\n(.*?)```", readme, re.DOTALL)
    assert block is not None
    return dict(re.findall(r"-- (.+)\n(SELECT.+?;)", block[1]))


def time_all(file: Path, tell: Callable[[str], None] = lambda _: None) -> list[Timed]:
    """Each of them in a connection of its own, as an analyst would; `tell` is called with each."""
    found = []
    for title, query in documented().items():
        found.append(_time(file, title, query))
        seconds = found[-1].seconds
        tell(f"{title}: {'gave up' if seconds is None else f'{seconds:.3f} s'}")
    return found


def _time(file: Path, title: str, query: str) -> Timed:
    database = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    # The last column of EXPLAIN QUERY PLAN is the sentence.
    plan = "; ".join(row[-1] for row in database.execute(f"EXPLAIN QUERY PLAN {query}"))
    try:
        deadline = time.monotonic() + QUERY_TIMEOUT_SECONDS
        database.set_progress_handler(lambda: time.monotonic() > deadline, CHECK_EVERY)
        _count(database, query)
        started = time.perf_counter()
        rows = _count(database, query)
        return Timed(title, time.perf_counter() - started, rows, plan)
    except sqlite3.OperationalError:
        return Timed(title, None, 0, plan)
    finally:
        database.close()


def _count(database: sqlite3.Connection, query: str) -> int:
    """Fetches all rows, keeps none."""
    return sum(1 for _ in database.execute(query))
