"""Reads what operations do to the disk: commits, syncs, bytes."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import asyncpg

from bench.load.processes import tree

# An idle PostgreSQL backend reports what it did within ten seconds (PGSTAT_IDLE_INTERVAL).
REPORT_SECONDS = 11
ATTACH_SECONDS = 0.5
SYNC = re.compile(r"\b(?:fsync|fdatasync)\(")


class Storage(Protocol):
    """A system's database, read from outside."""

    def wait_until_idle(self) -> None:
        """Return when the counters are current."""

    def commits(self) -> int:
        """Transactions that wrote, since any moment."""

    def database_bytes(self) -> int: ...

    def log_bytes(self) -> int: ...


@dataclass(frozen=True)
class SqliteStorage:
    """A database file in any journal mode, and a log file."""

    file: Path
    log: Path | None = None

    def wait_until_idle(self) -> None:
        # A checkpoint: otherwise the file grows only when SQLite copies its log back.
        with sqlite3.connect(self.file, timeout=10) as database:
            database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        database.close()

    def commits(self) -> int:
        """iChange in the WAL index, or the file change counter (sqlite.org: walformat §2.1,
        fileformat2 §1.3.9)."""
        index = self.file.with_name(self.file.name + "-shm")
        if index.exists() and index.stat().st_size:
            return int.from_bytes(index.read_bytes()[8:12], sys.byteorder)
        return int.from_bytes(self.file.read_bytes()[24:28], "big")

    def database_bytes(self) -> int:
        return self.file.stat().st_size

    def log_bytes(self) -> int:
        return _size(self.log)


@dataclass(frozen=True)
class PostgresStorage:
    """A database of its own on a server that others may use."""

    server: str
    name: str
    log: Path | None = None

    def ask(self, query: str, database: str | None = None) -> Any:
        """The first value of the first row."""

        async def run() -> Any:
            connection = await asyncpg.connect(f"{self.server}/{database or self.name}", timeout=10)
            try:
                return await connection.fetchval(query)
            finally:
                await connection.close()

        return asyncio.run(run())

    def wait_until_idle(self) -> None:
        """PostgreSQL reports these counters at once."""

    def commits(self) -> int:
        # Transaction ids are given to those that write alone, as SQLite counts them; those of
        # other databases on the server count, too.
        return int(self.ask("SELECT pg_snapshot_xmax(pg_current_snapshot())::text"))

    def reported(self) -> None:
        """Return when every idle backend has reported its statistics."""
        time.sleep(REPORT_SECONDS)

    def syncs(self) -> int:
        """Syncs of the server's log, for all its clients; 0 if the server does not report them."""
        try:
            return int(self.ask("SELECT wal_sync FROM pg_stat_wal", "postgres"))
        except asyncpg.PostgresError:
            # PostgreSQL 18 has moved it.
            query = "SELECT coalesce(sum(fsyncs), 0)::bigint FROM pg_stat_io WHERE object = 'wal'"
            return int(self.ask(query, "postgres"))

    def database_bytes(self) -> int:
        return int(self.ask(f"SELECT pg_database_size('{self.name}')", "postgres"))

    def log_bytes(self) -> int:
        return _size(self.log)


def _size(log: Path | None) -> int:
    return log.stat().st_size if log and log.exists() else 0


@dataclass
class Traced:
    """The syncs that a tracer counted; set when the tracer has ended."""

    syncs: int = 0


def can_trace() -> bool:
    return shutil.which("strace") is not None


@contextmanager
def traced(root: int) -> Iterator[Traced]:
    """Counts the syncs of a process tree with strace, which slows it down: time nothing here."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "trace"
        attach = [part for pid in tree(root) for part in ("-p", str(pid))]
        syscalls = "trace=fsync,fdatasync"
        command = ["strace", "-f", "-qq", "-e", syscalls, "-o", str(report), *attach]
        tracer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seen = Traced()
        try:
            # strace prints nothing when it has attached.
            time.sleep(ATTACH_SECONDS)
            yield seen
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(10)
            seen.syncs = len(SYNC.findall(report.read_text("utf-8", "replace")))
