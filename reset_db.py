"""Delete the local SQLite database and the log file, to start afresh.

    python reset_db.py            refuses while a server has the database open
    python reset_db.py --force    deletes all the same

Reads DATABASE_URL and LOG_FILE as the service does. Exit code 0: done; 1: refused, nothing deleted.
Standard library only, so that it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

DEFAULT_DATABASE_URL = "sqlite:///./app.db"
DEFAULT_LOG_FILE = "app.log"
# What SQLite may leave beside a database; a stale one would be replayed into the next database.
SIDE_FILES = ("-wal", "-shm", "-journal")
SQLITE_MAGIC = b"SQLite format 3\x00"
PROC = Path("/proc")


class Refusal(Exception):
    """Why nothing was deleted, in one sentence."""


def main(argv: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Delete what is there and say so; the exit code tells whether it was refused."""
    try:
        reset(environment, force=_parse(argv).force)
    except Refusal as refusal:
        print(f"Refused: {refusal}", file=sys.stderr)
        return 1
    return 0


def reset(environment: Mapping[str, str], *, force: bool) -> None:
    """Check everything first, then delete. Raises Refusal with nothing deleted."""
    database = database_path(environment)
    database_files = [database, *(Path(f"{database}{end}") for end in SIDE_FILES)]
    log = Path(_setting("LOG_FILE", DEFAULT_LOG_FILE, environment))
    present = [path for path in dict.fromkeys([*database_files, log]) if _is_deletable(path)]
    if database in present:
        _check_is_sqlite(database)
    open_files = [path for path in database_files if path in present]
    holders = _processes(open_files) or _lock_holder(database, open_files)
    if holders and not force:
        raise Refusal(
            f"{database} is open in {holders}. Stop the server first, or use --force: "
            "a server that goes on would keep writing to deleted files."
        )
    _delete(present, nothing=f"Nothing to delete: neither {database} nor {log} is there.")
    if holders:
        print(f"It was open in {holders}: restart that, it still writes to the deleted file.")


def database_path(environment: Mapping[str, str]) -> Path:
    """The file that DATABASE_URL names. Raises Refusal unless it is a plain SQLite file."""
    url = _setting("DATABASE_URL", DEFAULT_DATABASE_URL, environment)
    kind = url.partition(":")[0]
    if kind.partition("+")[0] != "sqlite":
        # The rest of the URL may hold a password: only its kind is repeated.
        raise Refusal(f"DATABASE_URL is {kind}, and this script deletes SQLite files only.")
    name = url.partition(":///")[2]
    if not name or name == ":memory:" or "?" in name:
        raise Refusal("DATABASE_URL does not name a plain SQLite file.")
    return Path(unquote(name))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="reset_db.py", description="Delete the local SQLite database and the log file."
    )
    parser.add_argument(
        "--force", action="store_true", help="delete even while a server has the database open"
    )
    return parser.parse_args(argv)


def _setting(name: str, default: str, environment: Mapping[str, str]) -> str:
    file = environment.get(f"{name}_FILE")
    if not file:
        return environment.get(name) or default
    try:
        return Path(file).read_text(encoding="utf-8").strip() or default
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{name}_FILE cannot be read: {type(error).__name__}.") from None


def _is_deletable(path: Path) -> bool:
    """Whether there is something to delete. Raises Refusal for anything but a regular file."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    except OSError as error:
        raise Refusal(f"{path} cannot be looked at: {error.strerror}.") from None
    if not stat.S_ISREG(mode):
        kind = "a symbolic link" if stat.S_ISLNK(mode) else "not a regular file"
        raise Refusal(f"{path} is {kind}, and only regular files are deleted.")
    return True


def _check_is_sqlite(database: Path) -> None:
    """A wrong DATABASE_URL must not cost somebody another file. An empty file is a new database."""
    try:
        with database.open("rb") as file:
            head = file.read(len(SQLITE_MAGIC))
    except OSError as error:
        raise Refusal(f"{database} cannot be read: {error.strerror}.") from None
    if head not in (b"", SQLITE_MAGIC):
        raise Refusal(f"{database} is not an SQLite database.")


# Two ways to see that a server is there, for each is blind somewhere: open files show every
# connection of our own processes, locks reach over users and containers.


def _lock_holder(database: Path, present: list[Path]) -> str:
    return "another process" if database in present and _is_locked(database) else ""


def _is_locked(database: Path) -> bool:
    """Whether a connection elsewhere holds a lock: in WAL mode every used one does, even idle."""
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


def _processes(files: list[Path]) -> str:
    """The processes that have one of these files open, in words; empty if none is known to."""
    if not files:
        return ""
    found = _ask_proc(files) if (PROC / "self" / "fd").is_dir() else _ask_lsof(files)
    return ", ".join(f"process {process}" for process in found)


def _ask_proc(files: list[Path]) -> list[str]:
    wanted = {_identity(path) for path in files}
    processes = (path for path in PROC.iterdir() if path.name.isdigit())
    return [
        f"{process.name} ({_name(process)})" for process in processes if wanted & _handles(process)
    ]


def _handles(process: Path) -> set[tuple[int, int] | None]:
    try:
        return {_identity(handle) for handle in (process / "fd").iterdir()} - {None}
    except OSError:  # another user's process is closed to us; any process may end while we look
        return set()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text(errors="replace").strip()
    except OSError:
        return "ended"


def _ask_lsof(files: list[Path]) -> list[str]:
    lsof = shutil.which("lsof")
    if lsof is None:
        return []
    command = [lsof, "-t", "--", *map(str, files)]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return []
    return answer.stdout.split()


def _delete(paths: list[Path], *, nothing: str) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise Refusal(f"{path} cannot be deleted: {error.strerror}.") from None
        print(f"Deleted {path}")
    if not paths:
        print(nothing)


if __name__ == "__main__":
    sys.exit(main())
