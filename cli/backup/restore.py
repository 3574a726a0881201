"""Put a copy of FILE in the place of the SQLite database.

Stop the service first. FILE is verified before anything is changed. The
database that was there is kept beside the new one, under a name that ends in
the time of the restore. The new file belongs to its owner alone (mode 0600).

Exit status 0: restored; 1: nothing was changed.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from cli.backup.database_file import (
    COMPANIONS,
    Contents,
    copied,
    database_of,
    examine,
    flush,
    give_name,
    is_open,
)
from cli.errors import CommandError

SUMMARY = "put a copy in the place of the SQLite database"
POSTGRESQL = "restore PostgreSQL with `pg_restore` from a file that `pg_dump` wrote"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "--force", action="store_true", help="although a service has the database open"
    )


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Restore, and print what was done. Raises CommandError with nothing changed."""
    try:
        _restore(options.file, database_of(environment, POSTGRESQL), force=options.force)
    except CommandError as error:
        raise CommandError(f"Refused: {error}. Nothing was changed.") from None
    return 0


def _restore(file: Path, database: Path, *, force: bool) -> None:
    contents = examine(file)
    if database.exists() and file.samefile(database):
        raise CommandError(f"{file} is the database itself")
    opened = database.is_file() and is_open(database)
    if opened and not force:
        raise CommandError(
            f"{database} is open in another process: stop the service first, or use --force: a "
            "service that goes on would keep writing to the file that is set aside"
        )
    aside = _put_in_place(file, database, contents)
    print(f"{database}: {contents}")
    if aside:
        print(f"The database that was there is kept as {aside}")
    if opened:
        print("Restart the service: it still writes to the file that was set aside.")


def _put_in_place(file: Path, database: Path, contents: Contents) -> Path | None:
    folder = database.absolute().parent
    with copied(file, folder) as copy:
        if examine(copy) != contents:
            raise CommandError(f"{file} changed while it was copied")
        try:
            aside = _set_aside(copy, database)
            copy.replace(database)
        except OSError as error:
            raise CommandError(f"{database} cannot be replaced ({error.strerror})") from None
    flush(folder)
    return aside


def _set_aside(copy: Path, database: Path) -> Path | None:
    """Keep the present database, if there is one, under a second name. Returns that name."""
    # A log without its database would be applied to the new one.
    companions = [suffix for suffix in COMPANIONS if Path(f"{database}{suffix}").exists()]
    if not companions and not database.exists():
        return None
    aside = _free_name(database)
    if database.exists():
        before = database.stat()
        if os.geteuid() == 0:
            # The service's user must still be able to open its database.
            os.chown(copy, before.st_uid, before.st_gid)
        _fold_in_the_log(database)
        # Until the new file takes its place, a crash leaves the present one under its own name.
        give_name(database, aside)
        aside.chmod(0o600)
    for suffix in COMPANIONS:
        with suppress(FileNotFoundError):
            Path(f"{database}{suffix}").rename(f"{aside}{suffix}")
    return aside


def _free_name(database: Path) -> Path:
    stem = f"{database.name}.before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S}Z"
    name, number = database.with_name(stem), 1
    while name.exists():
        number += 1
        name = database.with_name(f"{stem}-{number}")
    return name


def _fold_in_the_log(database: Path) -> None:
    """Move what is in the write-ahead log into the database, so that it is one file.

    Not possible for a damaged database or an open one: then the log is kept beside it.
    """
    address = f"{database.absolute().as_uri()}?mode=rw"
    with suppress(sqlite3.Error), closing(sqlite3.connect(address, uri=True, timeout=0)) as open_db:
        open_db.execute("PRAGMA journal_mode=DELETE")
