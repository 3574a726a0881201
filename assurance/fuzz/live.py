"""The service as people run it: a uvicorn process of its own, on a port nobody else has."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READY = re.compile(r"Uvicorn running on (http://127\.0\.0\.1:\d+)")
START_SECONDS = STOP_SECONDS = 30
# Not `--fd`: uvicorn takes an inherited socket for a Unix one, leaves Nagle's algorithm on, and
# every answer on a kept connection waits 40 ms for an acknowledgement.
COMMAND = (
    *(sys.executable, "-m", "uvicorn", "main:app", "--host", "127.0.0.1", "--port", "0"),
    *("--no-proxy-headers", "--no-server-header", "--no-access-log"),
)


@contextmanager
def serving(folder: Path, **environment: str) -> Iterator[str]:
    """The base URL of a service with its data in `folder`; `environment` holds its settings."""
    settings = {
        "DATABASE_URL": f"sqlite:///{folder}/app.db",
        "LOG_FILE": str(folder / "app.log"),
        "PATH": os.environ["PATH"],
        **environment,
    }
    said = folder / "server.out"
    with said.open("wb") as out:
        server = subprocess.Popen(COMMAND, cwd=ROOT, env=settings, stdout=out, stderr=out)
        try:
            yield _url_of(server, said)
        finally:
            server.terminate()
            server.wait(STOP_SECONDS)


def _url_of(server: subprocess.Popen[bytes], said: Path) -> str:
    """Where the server listens, once it says so."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if found := READY.search(said.read_text("utf-8")):
            return found[1]
        time.sleep(0.05)
    raise RuntimeError(f"the service does not start: {said.read_text('utf-8')}")
