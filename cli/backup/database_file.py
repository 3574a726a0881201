"""One SQLite file: where it is, a copy of it, what it holds, and who has it open."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic.script import ScriptDirectory

from cli.errors import CommandError
from core.database.schema_version import MIGRATIONS
from core.errors import ConfigurationError
from core.settings import Settings
from core.settings.sources import read_variable, sqlite_file

# What SQLite may keep beside a database. It belongs to that database and to no other.
COMPANIONS = ("-wal", "-shm", "-journal")
BUSY_SECONDS = 5.0
COUNTS = (
    "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM webauthn_credentials), "
    "(SELECT count(*) FROM audit_logs)"
)
TABLES = {"users", "webauthn_credentials", "audit_logs", "alembic_version"}


@dataclass(frozen=True)
class Contents:
    """What a verified database holds."""

    accounts: int
    passkeys: int
    audit_rows: int
    revision: str

    def __str__(self) -> str:
        return (
            f"{self.accounts} accounts, {self.passkeys} passkeys, {self.audit_rows} audit rows, "
            f"schema {self.revision}"
        )


def database_of(environment: Mapping[str, str], advice: str) -> Path:
    """The file that DATABASE_URL names. Raises CommandError with `advice` for PostgreSQL."""
    try:
        url = read_variable("DATABASE_URL", environment)
    except ConfigurationError as error:
        raise CommandError(str(error)) from None
    # The other settings need not be right: a copy must be possible with a broken configuration.
    settings, _ = Settings.danger_unchecked({"DATABASE_URL": url} if url else {})
    file = sqlite_file(settings.database_url)
    if file is None:
        raise CommandError(f"DATABASE_URL is not an SQLite file: {advice}")
    return file


@contextmanager
def copied(source: Path, folder: Path) -> Iterator[Path]:
    """A copy of the database `source` in a new file in `folder`, for its owner alone (0600).

    The copy is deleted at the end, unless it was renamed. It is one file, on the disk, and holds
    what was committed when the copying began. Raises CommandError.

    All pages are copied in one step, under one read transaction: writers go on, and no commit makes
    SQLite begin again, as `.backup` of the sqlite3 shell does after each hundred pages. VACUUM INTO
    would not do: it may number audit rows anew, and the sinks' positions are such numbers.
    """
    if not source.is_file():
        raise CommandError(f"{source} does not exist")
    try:
        handle, name = tempfile.mkstemp(prefix=".copy-", dir=folder)
    except OSError as error:
        raise CommandError(f"{folder} cannot be written ({error.strerror})") from None
    os.close(handle)
    copy = Path(name)
    try:
        _copy_pages(source, copy)
        yield copy
    finally:
        for suffix in ("", *COMPANIONS):
            Path(f"{copy}{suffix}").unlink(missing_ok=True)


def _copy_pages(source: Path, copy: Path) -> None:
    address = f"{source.absolute().as_uri()}?mode=rw"
    try:
        with (
            closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as origin,
            closing(sqlite3.connect(copy, isolation_level=None)) as target,
        ):
            origin.backup(target, pages=-1)
            # A write-ahead log would be a second file, which people forget to copy.
            target.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise CommandError(f"{source} cannot be copied ({error})") from None
    flush(copy)


def give_name(file: Path, name: Path) -> None:
    """Give `file` a second name that does not exist yet. Raises FileExistsError, OSError."""
    try:
        # A link is made or refused at once: a file that came in the meantime is not replaced.
        os.link(file, name)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems have no links. There the file keeps one name, the new one.
        name.touch(mode=0o600, exist_ok=False)
        file.replace(name)


def flush(path: Path) -> None:
    """Return when `path`, a file or a folder, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def examine(file: Path) -> Contents:
    """What `file` holds. Raises CommandError unless it is an undamaged database of this service."""
    if not file.is_file():
        raise CommandError(f"{file} does not exist")
    # Without a log beside it nobody writes to the file, and SQLite need not make one to read it.
    alone = not any(Path(f"{file}{suffix}").exists() for suffix in COMPANIONS)
    how = "mode=ro&immutable=1" if alone else "mode=rw"
    address = f"{file.absolute().as_uri()}?{how}"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as connection:
            return _examined(file, connection)
    except sqlite3.DatabaseError as error:
        raise CommandError(f"{file} cannot be read as an SQLite database ({error})") from None


def _examined(file: Path, connection: sqlite3.Connection) -> Contents:
    faults = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    if faults != ["ok"]:
        raise CommandError(f"{file} is damaged: {' '.join(faults[0].split())}")
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if not tables >= TABLES:
        raise CommandError(f"{file} is not a database of this service")
    # An audit row may outlive its account. A passkey may not.
    if connection.execute("PRAGMA foreign_key_check(webauthn_credentials)").fetchone():
        raise CommandError(f"{file} is damaged: a passkey belongs to no account")
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    revision = str(row[0]) if row else "nothing"
    if revision not in {script.revision for script in _migrations().walk_revisions()}:
        raise CommandError(f"{file} has schema {revision}, which this version does not know")
    accounts, passkeys, audit_rows = connection.execute(COUNTS).fetchone()
    return Contents(accounts, passkeys, audit_rows, revision)


def _migrations() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))


def is_open(file: Path) -> bool:
    """Whether another process has the database open, even if it does nothing at the moment.

    The service keeps its database in WAL mode, where every open connection holds a lock.
    """
    address = f"{file.absolute().as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=0, isolation_level=None)) as probe:
            probe.execute("PRAGMA locking_mode=EXCLUSIVE")
            probe.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError as error:
        # A damaged file is no open one: that may be why somebody restores another.
        return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return False
