"""Assigns cores: one for each worker of the server, the rest for the clients, where possible."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Cores(NamedTuple):
    """An empty set means any core."""

    server: frozenset[int]
    clients: frozenset[int]

    def __str__(self) -> str:
        if not self.server:
            return "server and clients on any core (too few, or this system cannot pin)"
        return f"server on core {_list(self.server)}, clients on {_list(self.clients)}"


def _list(cores: frozenset[int]) -> str:
    return ", ".join(map(str, sorted(cores)))


def share_cores(workers: int = 1) -> Cores:
    """One core for each worker of the server, the others for the clients."""
    any_core: frozenset[int] = frozenset()
    if not hasattr(os, "sched_setaffinity"):
        return Cores(any_core, any_core)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) <= workers:
        return Cores(any_core, any_core)
    return Cores(frozenset(cores[:workers]), frozenset(cores[workers:]))


@contextmanager
def pinned(cores: frozenset[int]) -> Iterator[None]:
    """In the block, this thread and the processes it starts run on `cores` alone."""
    if not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
