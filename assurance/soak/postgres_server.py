"""A PostgreSQL server of our own, to be restarted, crashed and held still."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assurance.support.server_process import free_port

PROGRAMS = Path("/usr/lib/postgresql")
USER = "postgres"


def program(name: str) -> str:
    """A program of the newest PostgreSQL that is installed."""
    found = sorted(PROGRAMS.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(found[-1]) if found else name


class PostgresServer:
    """One server over a data folder of its own; durable as PostgreSQL is by default."""

    def __init__(self, folder: Path) -> None:
        self._data, self._port = folder / "data", free_port()
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -k {folder}"
        self._options = f"{options} -c max_connections=120 -c shared_buffers=32MB"

    def url_of(self, role: str) -> str:
        return f"postgresql://{role}@127.0.0.1:{self._port}"

    def start(self) -> None:
        self._control("start", "-o", self._options)

    def stop(self, mode: str = "fast") -> None:
        """`fast` ends the connections; `immediate` is a crash."""
        self._control("stop", "-m", mode)

    def freeze(self) -> None:
        """Hold every one of its processes still: connections stay open, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        main = int((self._data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        for process in (main, *map(int, children)):
            try:
                os.kill(process, number)
            except ProcessLookupError:
                continue

    def _control(self, *arguments: str) -> None:
        log = str(self._data.parent / "postgres.log")
        _as_postgres(program("pg_ctl"), "-D", str(self._data), "-w", "-l", log, *arguments)

    def _initialize(self) -> None:
        _as_postgres(
            program("initdb"), "-D", str(self._data), "-U", USER, "-A", "trust", "--no-sync"
        )

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[PostgresServer]:
        """A fresh server; it and its data are gone at the end."""
        folder = Path(tempfile.mkdtemp(prefix="soak-postgres-"))
        if os.geteuid() == 0:
            shutil.chown(folder, USER)
        server = cls(folder)
        try:
            server._initialize()
            server.start()
            yield server
        finally:
            if (server._data / "postmaster.pid").exists():
                server.thaw()
                server.stop("immediate")
            shutil.rmtree(folder)


def _as_postgres(*command: str) -> None:
    """PostgreSQL refuses to run as root."""
    prefix = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*prefix, *command],
        cwd="/",
        check=False,
        stdin=subprocess.DEVNULL,
        # Not a pipe: the server would keep it open.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=90,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}")
