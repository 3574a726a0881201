"""Starts a real server in milliseconds, kills it, and starts it again; see `forking_process`."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from assurance.support.server_process import ROOT, free_port

STATE_TIMEOUT_SECONDS = 60


def connect(url: str) -> httpx.Client:
    """A client for plain http. Loading the certificates for https would take long."""
    empty = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.Client(base_url=url, trust_env=False, verify=empty, timeout=10)


def wait_until(condition: Callable[[], bool]) -> None:
    """Return once `condition` holds; fail if it does not hold in time."""
    deadline = time.monotonic() + STATE_TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the server did not reach the state in time"
        time.sleep(0.005)


class Server:
    """One server process in a folder of its own; the same port at every start."""

    def __init__(
        self, forker: subprocess.Popen[str], folder: Path, port: int, settings: dict[str, str]
    ) -> None:
        self._forker, self.folder, self.port = forker, folder, port
        self.url = f"http://localhost:{port}"
        self._environment = {"ORIGIN": self.url, **settings}
        self.pid = 0

    def set(self, **settings: str) -> None:
        """Other settings from the next start on."""
        self._environment |= settings

    def start_and_wait(self) -> None:
        """Start the server and return once it answers."""
        self.start()
        self.wait()

    def start(self) -> None:
        """Fork the server; it does not answer yet when this returns."""
        order = {
            "folder": str(self.folder),
            "port": self.port,
            "environment": self._environment,
        }
        assert self._forker.stdin
        assert self._forker.stdout
        self._forker.stdin.write(json.dumps(order) + "\n")
        self._forker.stdin.flush()
        self.pid = int(self._forker.stdout.readline())

    def wait(self) -> None:
        """Return once the server answers; fail if it has ended."""
        wait_until(self._answers)

    def kill(self) -> None:
        """`kill -9`: the server writes nothing more."""
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not self._is_alive())

    def _answers(self) -> bool:
        assert self._is_alive(), (self.folder / "server.out").read_text("utf-8")[-3000:]
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        except ConnectionError:
            return False
        return True

    def _is_alive(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True


class Servers:
    """Makes servers. The forking process has imported the service already."""

    def __init__(self, forker: subprocess.Popen[str]) -> None:
        self._forker = forker

    def make(self, folder: Path, **settings: str) -> Server:
        """A server under these settings, not yet started."""
        return Server(self._forker, folder, free_port(), settings)


@contextmanager
def forking() -> Iterator[Servers]:
    """In the block servers can be made; at its end all of them are killed."""
    with subprocess.Popen(
        [sys.executable, "-m", "assurance.support.forking_process"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as forker:
        yield Servers(forker)
