"""The real TLS proxy, under the very Caddyfile that compose.yaml mounts, before a real service."""

from __future__ import annotations

import os
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.deploy.workshop import DEPLOY, tool
from tests.support.process import free_port, start_server, wait_until_up

CADDYFILE = DEPLOY / "caddy" / "Caddyfile"
# Loopback has more than one address on Linux: a visitor who is not the proxy.
VISITOR = "127.0.0.2"
START_SECONDS = 30


class Proxy:
    """A running proxy for https://localhost, with certificates of its own making."""

    def __init__(self, folder: Path, upstream: int, host: str = "localhost") -> None:
        self.https, self.http, self.health = free_port(), free_port(), free_port()
        self.origin = f"https://localhost:{self.https}"
        self._folder = folder
        self._variables = {
            "LOGIN_HOST": "localhost",
            "HTTP_PORT": str(self.http),
            "HTTPS_PORT": str(self.https),
            "HEALTH_PORT": str(self.health),
            "UPSTREAM_HOST": host,
            "UPSTREAM_PORT": str(upstream),
            "HOME": str(folder),
            "XDG_DATA_HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
        }

    @contextmanager
    def running(self) -> Iterator[None]:
        with (self._folder / "caddy.out").open("wb") as out:
            process = subprocess.Popen(
                [tool("caddy"), "run", "--config", CADDYFILE, "--adapter", "caddyfile"],
                env={"PATH": os.defpath, **self._variables},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait(process)
            yield
        finally:
            process.terminate()
            process.wait(20)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._is_up():
            assert process.poll() is None, (self._folder / "caddy.out").read_text()
            assert time.monotonic() < deadline, "the proxy did not start in time"
            time.sleep(0.05)

    def _is_up(self) -> bool:
        """Whether it has its certificates and answers with them; /livez never leaves the proxy."""
        try:
            if not self.root.exists():
                return False
            with self.visitor() as client:
                return client.get("/livez").status_code == 404
        except httpx.TransportError:
            return False

    def health_answer(self) -> int:
        """What the container's health check gets."""
        return httpx.get(f"http://127.0.0.1:{self.health}/", trust_env=False).status_code

    @property
    def root(self) -> Path:
        """The certificate authority that the proxy made for localhost."""
        return self._folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"

    def visitor(self) -> httpx.Client:
        """A client at an address of its own, who trusts that authority."""
        context = ssl.create_default_context(cafile=str(self.root))
        transport = httpx.HTTPTransport(verify=context, local_address=VISITOR)
        return httpx.Client(base_url=self.origin, transport=transport, timeout=30)


@contextmanager
def service_behind_proxy(folder: Path) -> Iterator[Proxy]:
    """A service that believes the proxy alone, and the proxy, from start to end."""
    port = free_port()
    proxy = Proxy(folder, port)
    server = start_server(folder, port, ORIGIN=proxy.origin, TRUSTED_PROXIES="127.0.0.1/32")
    try:
        wait_until_up(server, f"http://localhost:{port}")
        with proxy.running():
            yield proxy
    finally:
        server.terminate()
        server.wait(20)
