"""A PostgreSQL and a Redis server for one scenario, to be restarted, crashed and frozen."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from assurance.support.server_process import free_port

PROGRAMS = Path("/usr/lib/postgresql")
USER = "postgres"
START_TIMEOUT_SECONDS = 60


def program(name: str) -> str:
    """A program of the newest PostgreSQL that is installed."""
    found = sorted(PROGRAMS.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(found[-1]) if found else name


class PostgresServer:
    """A server with a new data folder, and PostgreSQL's default durability."""

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
        """Stop all its processes: connections stay open, nothing is answered."""
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
        _as_postgres(
            program("pg_ctl"), "-D", str(self._data), "-w", "-t", "120", "-l", log, *arguments
        )

    def _initialize(self) -> None:
        _as_postgres(
            program("initdb"), "-D", str(self._data), "-U", USER, "-A", "trust", "--no-sync"
        )

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[PostgresServer]:
        """A new server; at the end of the block it is stopped and its data deleted."""
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
        # Not a pipe: the server process would keep it open.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=180,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}")


class RedisServer:
    """A server that keeps nothing on disk, as in deploy/redis/redis.conf."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, and return once it answers."""
        options = {
            "port": str(self._port),
            "bind": "127.0.0.1",
            "save": "",
            "appendonly": "no",
            "maxmemory-policy": "noeviction",
            "dir": str(self._folder),
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen(
            ["redis-server", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._answers():
            if time.monotonic() > deadline:
                raise RuntimeError("Redis did not start in time")
            time.sleep(0.01)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)

    def freeze(self) -> None:
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def flush(self) -> None:
        with Redis.from_url(self.url) as redis:
            redis.flushall()

    def limit(self, size: str) -> None:
        """Set `maxmemory`: without eviction Redis refuses commands that need more."""
        with Redis.from_url(self.url) as redis:
            redis.config_set("maxmemory", size)

    def used(self) -> int:
        """The memory in use, in bytes."""
        with Redis.from_url(self.url) as redis:
            info = redis.info("memory")
            assert isinstance(info, dict)
            return int(info["used_memory"])

    def _answers(self) -> bool:
        try:
            with Redis.from_url(self.url) as redis:
                return bool(redis.ping())
        except RedisError:
            return False

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator[RedisServer]:
        server = cls(folder)
        server.start()
        try:
            yield server
        finally:
            server.kill()
