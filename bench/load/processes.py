"""CPU and memory of a server's processes, from /proc; zero on systems without /proc."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import mean

PROC = Path("/proc")
SAMPLE_SECONDS = 0.2


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on (proc(5)); the name may hold spaces."""
    try:
        return (PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []


def tree(root: int) -> list[int]:
    """`root` and all its descendants that are alive."""
    children: dict[int, list[int]] = {}
    for entry in PROC.glob("[0-9]*"):
        if fields := _stat(int(entry.name)):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def cpu_seconds(root: int) -> float:
    """User and system time of the tree, with that of children that have ended."""
    ticks = 0
    for pid in tree(root):
        # utime, stime, cutime, cstime: fields 14 to 17.
        ticks += sum(map(int, _stat(pid)[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_bytes(root: int) -> int:
    """Resident memory of the tree."""
    total = 0
    for pid in tree(root):
        with suppress(OSError, IndexError):
            total += int((PROC / str(pid) / "statm").read_text("ascii").split()[1])
    return total * os.sysconf("SC_PAGE_SIZE")


class Memory:
    """Samples of a tree's resident memory."""

    def __init__(self) -> None:
        self.samples: list[int] = []

    @property
    def peak(self) -> int:
        return max(self.samples, default=0)

    @property
    def growth(self) -> int:
        """From the mean of the first quarter to that of the last."""
        quarter = len(self.samples) // 4
        if not quarter:
            return 0
        return int(mean(self.samples[-quarter:]) - mean(self.samples[:quarter]))


@contextmanager
def watched(root: int) -> Iterator[Memory]:
    """Samples the tree's memory while the block runs."""
    memory, over = Memory(), threading.Event()

    def sample() -> None:
        while not over.wait(SAMPLE_SECONDS):
            memory.samples.append(memory_bytes(root))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        over.set()
        thread.join()


def listener(port: int) -> int | None:
    """The first process that listens on a TCP port of this machine, if it can be found."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (PROC / "net" / table).read_text("ascii").splitlines()[1:]:
                fields = line.split()
                # State 0A is LISTEN.
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    for entry in sorted(PROC.glob("[0-9]*"), key=lambda path: int(path.name)):
        with suppress(OSError):
            if any(str(each.readlink()) in inodes for each in (entry / "fd").iterdir()):
                return int(entry.name)
    return None
