"""The command line: `python -m bench.scale`. Exit code 1 if a login failed."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from bench.load.report import table
from bench.scale.measure import Scaled, Size, measure

DEFAULT = (Size(1_000, 10_000), Size(100_000, 1_000_000))
FULL = (*DEFAULT, Size(1_000_000, 10_000_000))
# A row of the trail with its part of the indexes, and a user with a passkey.
ROW_BYTES, PERSON_BYTES = 700, 1_000
SLOW_SECONDS = 1.0


def _size(text: str) -> Size:
    people, _, audit_rows = text.partition(":")
    return Size(int(people), int(audit_rows))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument(
        "--sizes", nargs="+", type=_size, default=DEFAULT, metavar="USERS:AUDIT_ROWS"
    )
    parser.add_argument("--full", action="store_true", help="up to a million users, ten million")
    parser.add_argument("--seconds", type=float, default=5.0, help="of logins at each size")
    parser.add_argument("--folder", type=Path, help="where the databases are made, and deleted")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args(arguments)


def _require_room(size: Size, folder: Path) -> None:
    # Indexes are sorted in temporary files beside the database.
    needed = 2 * (size.people * PERSON_BYTES + size.audit_rows * ROW_BYTES)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SystemExit(f"{size} needs {needed >> 30} GiB in {folder}, and {free >> 30} are free")


def report(found: Sequence[Scaled]) -> str:
    return "\n\n".join(
        table(list(lines)) for lines in (_overview(found), _questions(found), _indexes(found))
    )


def _overview(found: Sequence[Scaled]) -> Iterator[tuple[str, ...]]:
    yield ("size", "file", "loaded in", "start-up", "its CPU", "CPU/login", "p50", "errors")
    for each in found:
        yield (
            str(each.size),
            f"{each.file_bytes / 1e9:.2f} GB",
            f"{each.load_seconds:.0f} s",
            f"{each.start_seconds:.2f} s",
            f"{each.start_cpu:.2f} s",
            f"{each.login_cpu:.3f} ms",
            f"{each.login_p50:.1f} ms",
            str(each.errors),
        )


def _questions(found: Sequence[Scaled]) -> Iterator[tuple[str, ...]]:
    yield ("size", "documented query", "seconds", "rows", "plan")
    for each in found:
        for asked in each.queries:
            slow = " (slow)" if (asked.seconds or SLOW_SECONDS + 1) > SLOW_SECONDS else ""
            seconds = "gave up" if asked.seconds is None else f"{asked.seconds:.3f}{slow}"
            yield (str(each.size), asked.title, seconds, f"{asked.rows:,}", asked.plan)


def _indexes(found: Sequence[Scaled]) -> Iterator[tuple[str, ...]]:
    yield ("size", "audit index", "CPU of a row", "bytes")
    for each in found:
        for cost in each.indexes:
            size = f"{cost.size / 1e6:,.1f} MB" if cost.size else "-"
            yield (str(each.size), cost.name, f"{cost.microseconds:.1f} us", size)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line in, the exit code out."""
    options = _options(arguments)
    sizes: Sequence[Size] = FULL if options.full else options.sizes
    _require_room(sizes[-1], options.folder or Path(tempfile.gettempdir()))
    found = [measure(size, options.seconds, options.folder) for size in sizes]
    print(report(found))
    if options.json:
        text = json.dumps([asdict(each) for each in found], indent=2)
        options.json.write_text(f"{text}\n", "utf-8")
    return 1 if any(each.errors for each in found) else 0


if __name__ == "__main__":
    sys.exit(main())
