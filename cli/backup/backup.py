"""Write a copy of the SQLite database to FILE, while the service runs.

The copy holds everything that was answered before the command began. It is
verified before it gets its name, is one file, and belongs to its owner alone
(mode 0600). An existing FILE is never overwritten.

Exit status 0: FILE is there and good; 1: there is no FILE.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from cli.backup.database_file import copied, database_of, examine, flush, give_name
from cli.errors import CommandError

SUMMARY = "write a copy of the SQLite database, while the service runs"
POSTGRESQL = "back up PostgreSQL with `pg_dump --format=custom --file=FILE`"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a new file")


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Write the copy. Raises CommandError with nothing written."""
    try:
        _write(database_of(environment, POSTGRESQL), options.file)
    except CommandError as error:
        raise CommandError(f"Refused: {error}. Nothing was written.") from None
    return 0


def _write(database: Path, file: Path) -> None:
    if os.path.lexists(file):
        raise CommandError(f"{file} exists: name a new file")
    with copied(database, file.absolute().parent) as copy:
        contents, size = examine(copy), copy.stat().st_size
        try:
            give_name(copy, file)
        except OSError as error:
            raise CommandError(f"{file} cannot be written ({error.strerror})") from None
    flush(file.absolute().parent)
    print(f"{file}: {size} bytes, {contents}")
