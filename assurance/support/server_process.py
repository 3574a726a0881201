"""The service as a uvicorn process on a free port, and folders for its data."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READY = re.compile(r"Uvicorn running on (http://127\.0\.0\.1:\d+)")
START_TIMEOUT_SECONDS = STOP_TIMEOUT_SECONDS = 30
MEMORY_DISK = Path("/dev/shm")  # noqa: S108 (temporary_folder makes a new folder in it)
MEMORY_DISK_FREE_BYTES = 400 << 20
# Not `--fd`: uvicorn takes an inherited socket for a Unix socket and leaves Nagle's algorithm on.
# Then every answer on a kept connection waits 40 ms for an acknowledgement.
COMMAND = (
    *(sys.executable, "-m", "uvicorn", "main:app", "--host", "127.0.0.1", "--port", "0"),
    *("--no-proxy-headers", "--no-server-header", "--no-access-log"),
)


def free_port() -> int:
    """A port of the loopback interface on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder in memory if there is room, else on disk: disk speed is not measured here."""
    roomy = MEMORY_DISK.is_dir() and shutil.disk_usage(MEMORY_DISK).free > MEMORY_DISK_FREE_BYTES
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK if roomy else None) as name:
        yield Path(name)


@contextmanager
def serving(folder: Path, **environment: str) -> Iterator[str]:
    """The base URL of a service with its data in `folder`; `environment` holds its settings."""
    settings = {
        "DATABASE_URL": f"sqlite:///{folder}/app.db",
        "LOG_FILE": str(folder / "app.log"),
        "PATH": os.environ["PATH"],
        **environment,
    }
    output = folder / "server.out"
    with output.open("wb") as out:
        server = subprocess.Popen(COMMAND, cwd=ROOT, env=settings, stdout=out, stderr=out)
        try:
            yield _url_of(server, output)
        finally:
            server.terminate()
            server.wait(STOP_TIMEOUT_SECONDS)


def _url_of(server: subprocess.Popen[bytes], output: Path) -> str:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if found := READY.search(output.read_text("utf-8")):
            return found[1]
        time.sleep(0.05)
    raise RuntimeError(f"the service does not start: {output.read_text('utf-8')}")
