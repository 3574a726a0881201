"""Files that let one scrape cover several workers: prometheus_client's multiprocess mode.

Each worker writes `<type>_<pid>.db` files into PROMETHEUS_MULTIPROC_DIR. Counters and histograms of
a worker that died stay in the sum: without them a counter would fall, which Prometheus takes for a
restart of the whole server. Gauges of a dead worker are dropped. A new server drops everything.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

from core.errors import ConfigurationError

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def directory(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The directory where the workers of this server keep their values; None with one process."""
    name = environment.get(VARIABLE)
    return None if name is None else Path(name)


def prepare_directory(environment: Mapping[str, str] = os.environ) -> None:
    """Make the directory, and empty it if the server is new. Raises ConfigurationError.

    Every worker calls it before it makes its first metric. Files of running processes stay.
    """
    path = directory(environment)
    if path is None:
        return
    if not path.name:
        raise ConfigurationError(f"{VARIABLE} names no directory: set it to one, or unset it")
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _drop_files_of_earlier_servers(path)
        writable = os.access(path, os.W_OK)
    except OSError as error:
        raise ConfigurationError(f"{VARIABLE}: {error.strerror}") from None
    if not writable:
        raise ConfigurationError(f"{VARIABLE}: the directory is not writable")


def _drop_files_of_earlier_servers(path: Path) -> None:
    """Drop the files of dead processes, unless a worker of this server has done it already."""
    marker, server = path / "server", _server()
    if marker.is_file() and marker.read_text(encoding="ascii") == server:
        return
    for file, pid in _files(path):
        if pid == os.getpid() or not _is_alive(pid):
            file.unlink(missing_ok=True)
    marker.write_text(server, encoding="ascii")


def _server() -> str:
    """The process that all workers of this server have in common, and when it started.

    That is uvicorn's supervisor, which does not load the application, or the only worker itself.
    """
    pid = os.getpid() if multiprocessing.parent_process() is None else os.getppid()
    try:
        # proc_pid_stat(5): the 22nd field is the time of the start. The second may hold spaces.
        started = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[19]
    except OSError:
        # Without /proc, as on macOS, only the process id identifies the server.
        started = ""
    return f"{pid} {started}"


def drop_gauges_of_dead_workers() -> None:
    """Drop the gauges of workers that were killed before they could drop them."""
    path = directory()
    if path is not None:
        for pid in {pid for _, pid in _files(path) if not _is_alive(pid)}:
            mark_process_dead(pid)  # type: ignore[no-untyped-call]


def drop_own_gauges() -> None:
    """Drop the gauges of this process, which ends."""
    mark_process_dead(os.getpid())  # type: ignore[no-untyped-call]


def _files(path: Path) -> Iterator[tuple[Path, int]]:
    for file in path.glob("*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdigit():
            yield file, int(pid)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # It belongs to another user.
        return True
    return True
