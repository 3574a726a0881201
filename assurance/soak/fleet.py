"""Two processes with two workers each, behind one proxy."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from assurance.support.server_process import ROOT, free_port

ORIGIN = "http://localhost:8000"
PROCESSES, WORKERS = 2, 2
START_SECONDS = 60
CADDY = Path(sys.executable).parent / "caddy"


@contextmanager
def _one(folder: Path, settings: dict[str, str]) -> Iterator[int]:
    """uvicorn with its workers, on a port of its own; all of them end with it."""
    port = free_port()
    folder.mkdir()
    command = [sys.executable, "-m", "uvicorn", "main:app", "--app-dir", str(ROOT)]
    with (folder / "server.out").open("wb") as out:
        server = subprocess.Popen(
            [*command, "--port", str(port), "--workers", str(WORKERS), "--no-access-log"],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "ORIGIN": ORIGIN, **settings},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield port
    finally:
        server.terminate()
        server.wait(30)


@contextmanager
def _proxy(folder: Path, ports: list[int]) -> Iterator[str]:
    """One address for all of them, each in its turn."""
    port = free_port()
    upstreams = " ".join(f"127.0.0.1:{each}" for each in ports)
    file = folder / "Caddyfile"
    file.write_text(
        "{\n\tadmin off\n\tauto_https off\n\tpersist_config off\n}\n"
        f"http://127.0.0.1:{port} {{\n\tbind 127.0.0.1\n"
        f"\treverse_proxy {upstreams} {{\n\t\tlb_policy round_robin\n\t}}\n}}\n"
    )
    with (folder / "caddy.out").open("wb") as out:
        proxy = subprocess.Popen(
            [str(CADDY), "run", "--config", str(file), "--adapter", "caddyfile"],
            env={"PATH": os.defpath, "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
            stdout=out,
            stderr=out,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        proxy.send_signal(signal.SIGTERM)
        proxy.wait(20)


@contextmanager
def behind_a_proxy(folder: Path, settings: dict[str, str]) -> Iterator[str]:
    """The one address of them all, once it answers for each."""
    with ExitStack() as stack:
        ports = [
            stack.enter_context(_one(folder / f"process{n}", settings)) for n in range(PROCESSES)
        ]
        url = stack.enter_context(_proxy(folder, ports))
        for address in (*(f"http://127.0.0.1:{port}" for port in ports), url):
            _wait_for(address)
        yield url


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/readyz", timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} did not get ready in time")
