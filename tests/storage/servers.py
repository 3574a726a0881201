"""The tests' end of `forked`: start a real server, kill it, start it again."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.storage.trail import until
from tests.support.process import ROOT, free_port


def connect(url: str) -> httpx.Client:
    """A client for plain http: the certificates that https would need take a while to load."""
    empty = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.Client(base_url=url, trust_env=False, verify=empty, timeout=10)


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

    def start(self) -> None:
        """Fork it off; it is not yet up when this returns."""
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
        """Return once it answers; fail if it has ended."""
        until(self._answers)

    def kill(self) -> None:
        """`kill -9`: no last word, no last flush."""
        os.kill(self.pid, signal.SIGKILL)
        until(lambda: not self._is_alive())

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
    """Makes servers; the process behind it has imported everything already."""

    def __init__(self, forker: subprocess.Popen[str]) -> None:
        self._forker = forker

    def make(self, folder: Path, **settings: str) -> Server:
        """A server under these settings, not yet started."""
        return Server(self._forker, folder, free_port(), settings)


@contextmanager
def forking() -> Iterator[Servers]:
    """Servers for a while; all of them are gone at the end."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.storage.forked"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as forker:
        yield Servers(forker)
