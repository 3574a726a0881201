"""Delete the local SQLite database and the log file, to start afresh.

    python reset_db.py            refuses while a process has the database open
    python reset_db.py --force    deletes even then
    python reset_db.py --list     prints what would be deleted

Reads DATABASE_URL and LOG_FILE as the service does. Exit code 0: done; 1: refused, nothing deleted.
Standard library only, so that it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sqlite3
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

# The database, and what SQLite may leave beside it, which would be replayed into the next one.
DATABASE_FILES = ("", "-wal", "-shm", "-journal")


class ResetError(Exception):
    """Nothing was deleted; the text says why, in one sentence."""


def main(argv: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Delete the files and print their names. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="reset_db.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--force", action="store_true", help="even while a process has it open")
    parser.add_argument("--list", action="store_true", help="only print what would be deleted")
    options = parser.parse_args(argv)
    try:
        reset(environment, force=options.force, only_list=options.list)
    except ResetError as error:
        print(f"Refused: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Refused: {error.filename}: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


def reset(environment: Mapping[str, str], *, force: bool, only_list: bool = False) -> None:
    """Check everything first, then delete. Raises ResetError or OSError."""
    database = database_path(environment)
    log = Path(_setting("LOG_FILE", "app.log", environment))
    files = [path for end in DATABASE_FILES if _is_file(path := Path(f"{database}{end}"))]
    present = list(dict.fromkeys([*files, *([log] if _is_file(log) else [])]))
    if database in files:
        _check_is_sqlite(database)
    if only_list:
        print(*present, sep="\n")
        return
    is_open = database in files and _is_open(database)
    if is_open and not force:
        raise ResetError(
            f"{database} is open in another process. Stop the server first, or use --force: "
            "a server that goes on would keep writing to deleted files."
        )
    for path in present:
        path.unlink(missing_ok=True)
        print(f"Deleted {path}")
    if is_open:
        print("Restart the process that had it open: it still writes to the deleted file.")
    if not present:
        print(f"Nothing to delete: neither {database} nor {log} is there.")


def database_path(environment: Mapping[str, str]) -> Path:
    """The file that DATABASE_URL names. Raises ResetError unless it is a plain SQLite file."""
    url = _setting("DATABASE_URL", "sqlite:///./app.db", environment)
    kind = url.partition(":")[0]
    if kind.partition("+")[0] != "sqlite":
        # The rest of the URL may hold a password: only its kind is repeated.
        raise ResetError(f"DATABASE_URL is {kind}, and this script deletes SQLite files only.")
    name = url.partition(":///")[2]
    if not name or name == ":memory:" or "?" in name:
        raise ResetError("DATABASE_URL does not name a plain SQLite file.")
    return Path(unquote(name))


def _setting(name: str, default: str, environment: Mapping[str, str]) -> str:
    file = environment.get(f"{name}_FILE")
    if not file:
        return environment.get(name) or default
    try:
        return Path(file).read_text(encoding="utf-8").strip() or default
    except (OSError, UnicodeDecodeError) as error:
        raise ResetError(f"{name}_FILE cannot be read: {type(error).__name__}.") from None


def _is_file(path: Path) -> bool:
    """Whether there is something to delete. Raises ResetError for anything but a regular file."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(mode):
        kind = "a symbolic link" if stat.S_ISLNK(mode) else "not a regular file"
        raise ResetError(f"{path} is {kind}, and only regular files are deleted.")
    return True


def _check_is_sqlite(database: Path) -> None:
    """A wrong DATABASE_URL must not delete another file. An empty file is a new database."""
    with database.open("rb") as file:
        if file.read(16) not in (b"", b"SQLite format 3\x00"):
            raise ResetError(f"{database} is not an SQLite database.")


def _is_open(database: Path) -> bool:
    """Whether another process has the database open.

    The service keeps its database in WAL mode, in which every connection that was used once holds
    a lock, even while it is idle: to another user and in another container, too.
    """
    address = f"{database.absolute().as_uri()}?mode=rw"  # mode=rw never creates a database
    try:
        with contextlib.closing(sqlite3.connect(address, timeout=0, uri=True)) as probe:
            # In WAL mode this needs that no other connection is there, so it asks just that.
            probe.execute("PRAGMA locking_mode = EXCLUSIVE")
            probe.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError as error:
        # The low byte is the primary code. Damaged or read-only is not "open": that may go.
        return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return False


if __name__ == "__main__":
    sys.exit(main())
