"""The service as a process of its own, the way people start it."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support import workers

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30
PORTS_EACH = 2000
# Below the range from which Linux takes the ports of outgoing connections.
FIRST_PORT = 12_000


def free_port() -> int:
    """A port of this process's own range on which nobody listens now."""
    first = FIRST_PORT + PORTS_EACH * workers.number()
    while True:
        port = first + secrets.randbelow(PORTS_EACH)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def start_server(folder: Path, port: int, **environment: str) -> subprocess.Popen[bytes]:
    """uvicorn with `main:app` in `folder`; what it says goes to `folder`/server.out."""
    command = [sys.executable, "-m", "uvicorn", "main:app", "--app-dir", str(ROOT)]
    variables = {**os.environ, "ORIGIN": f"http://localhost:{port}", **environment}
    with (folder / "server.out").open("ab") as out:
        return subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=folder,
            env=variables,
            stdout=out,
            stderr=subprocess.STDOUT,
        )


def wait_until_up(server: subprocess.Popen[bytes], url: str) -> None:
    """Return when the server answers; fail if it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise AssertionError(f"the server ended with {server.returncode}")
        try:
            httpx.get(f"{url}/openapi.json", timeout=5)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not answer in time")


@contextmanager
def running_server(folder: Path, **environment: str) -> Iterator[str]:
    """A server in `folder`, from its first answer to the end of the block; gives its URL."""
    port = free_port()
    url = f"http://localhost:{port}"
    server = start_server(folder, port, **environment)
    try:
        wait_until_up(server, url)
        yield url
    finally:
        server.terminate()
        server.wait(20)
