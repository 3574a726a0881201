"""The peers as systems that start in a new folder, like this service."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assurance.support.server_process import free_port
from bench.load.api import Api
from bench.load.storage import SqliteStorage
from bench.load.systems import Served, process, wait_for
from bench.load.this_service import ThisService
from bench.peers import install
from bench.peers.dialects import BetterAuth, FlaskSecurity

GUNICORN = (
    *("-m", "gunicorn", "app:app", "--no-control-socket", "--keep-alive", "75"),
    *("--worker-class", "gthread", "--threads", "16", "--worker-connections", "1000"),
)


@contextmanager
def _started(
    command: Sequence[str], port: int, folder: Path, cores: frozenset[int], synchronous: str
) -> Iterator[Served]:
    url, origin = f"http://127.0.0.1:{port}", f"http://localhost:{port}"
    settings = {"PORT": str(port), "ORIGIN": origin, "SYNCHRONOUS": synchronous}
    variables = {**os.environ, "NODE_ENV": "production", **settings}
    with process(command, folder, variables, cores) as child:
        wait_for(child, f"{url}/livez", folder)
        yield Served(url, origin, child.pid, SqliteStorage(folder / "peer.db"))


@dataclass(frozen=True)
class NodePeer:
    """A script in node/, beside this file."""

    name: str
    script: str
    api: type[Api]
    synchronous: str = "FULL"
    workers: int = 1

    def install(self) -> None:
        install.node()

    @contextmanager
    def serving(self, folder: Path, cores: frozenset[int]) -> Iterator[Served]:
        command = ("node", str(install.node() / self.script))
        with _started(command, free_port(), folder, cores, self.synchronous) as served:
            yield served


@dataclass(frozen=True)
class FlaskPeer:
    """flask_security/app.py under gunicorn, in one process like all systems."""

    name: str = "Flask-Security"
    api: type[Api] = FlaskSecurity
    synchronous: str = "FULL"
    workers: int = 1

    def install(self) -> None:
        install.python("flask_security")

    @contextmanager
    def serving(self, folder: Path, cores: frozenset[int]) -> Iterator[Served]:
        port = free_port()
        code = install.HERE / "flask_security"
        interpreter = str(install.python("flask_security"))
        listen = ("--pythonpath", str(code), "--bind", f"127.0.0.1:{port}")
        command = (interpreter, *GUNICORN, *listen)
        with _started(command, port, folder, cores, self.synchronous) as served:
            yield served


Peer = NodePeer | FlaskPeer
PEERS: tuple[Peer, ...] = (
    NodePeer("fastify, FULL", "fastify.mjs", ThisService),
    NodePeer("fastify, NORMAL", "fastify.mjs", ThisService, synchronous="NORMAL"),
    NodePeer("better-auth", "better_auth.mjs", BetterAuth),
    FlaskPeer(),
)
