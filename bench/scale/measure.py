"""Measures one size: load it, start the service, log in, run the documented queries."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from assurance.support.server_process import free_port
from bench.load.measure import Plan, against
from bench.load.pinning import share_cores
from bench.load.processes import cpu_seconds
from bench.load.systems import UVICORN, OnSqlite, environment, process, wait_for
from bench.scale import indexes, loader, queries

STARTS = 3
CONNECTIONS = 16


@dataclass(frozen=True)
class Size:
    """How much is in the database before the service starts."""

    people: int
    audit_rows: int

    def __str__(self) -> str:
        return f"{self.people:,} users, {self.audit_rows:,} audit rows"


@dataclass(frozen=True)
class Scaled:
    """What was measured at one size: a login in ms, all else in seconds."""

    size: Size
    file_bytes: int
    load_seconds: float
    start_seconds: float
    start_cpu: float
    login_cpu: float
    login_p50: float
    errors: int
    queries: Sequence[queries.Timed]
    indexes: Sequence[indexes.IndexCost]


def measure(size: Size, seconds: float, parent: Path | None) -> Scaled:
    """Everything for one size, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="bench-scale-", dir=parent) as name:
        folder = Path(name)
        file = folder / "app.db"
        _log(f"loading {size}")
        started = time.monotonic()
        loader.create(file, size.people, size.audit_rows)
        load_seconds, file_bytes = time.monotonic() - started, file.stat().st_size
        _log(f"loaded in {load_seconds:.0f} s; starting the service")
        starts = [_start(folder) for _ in range(STARTS)]
        cpu, p50, errors = _login(folder, seconds)
        _log(f"a login costs {cpu:.3f} ms of CPU; running the documented queries")
        asked = queries.time_all(file, _log)
        _log("dropping the indexes")
        costs = indexes.costs(file, size.people)
    return Scaled(
        size=size,
        file_bytes=file_bytes,
        load_seconds=load_seconds,
        start_seconds=median(seconds for seconds, _ in starts),
        start_cpu=median(used for _, used in starts),
        login_cpu=cpu,
        login_p50=p50,
        errors=errors,
        queries=asked,
        indexes=costs,
    )


def _log(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def _start(folder: Path) -> tuple[float, float]:
    """Seconds, and CPU seconds, from exec to the first answer of /livez."""
    port = free_port()
    command = (sys.executable, *UVICORN, "--port", str(port))
    variables = environment(ORIGIN=f"http://localhost:{port}")
    with process(command, folder, variables, share_cores().server) as child:
        seconds = wait_for(child, f"http://127.0.0.1:{port}/livez", folder)
        return seconds, cpu_seconds(child.pid)


def _login(folder: Path, seconds: float) -> tuple[float, float, int]:
    """Server CPU and median time in ms of logins with an email, and how many failed."""
    system, cores = OnSqlite(), share_cores()
    plan = Plan(connections=(CONNECTIONS,))
    with (
        system.serving(folder, cores.server) as served,
        against(served, system, plan, cores) as ready,
    ):
        cell = ready.measure("login", CONNECTIONS, seconds, 1_000_000)
    return cell.server_cpu, cell.p50, cell.errors
