"""Part E of the attack list with little work: `make soak` does the same hundreds of times.

A fault lasts for a number of answers, not for a time: the load of the machine does not matter.
"""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from assurance.soak.own_servers import program
from assurance.soak.scenarios import SCENARIOS, run

# The scenarios use /proc, and limits of another process.
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the harness speaks to Linux")

KILLS = [
    f"kill-{during}-{backend}"
    for during in ("logins", "registrations")
    for backend in ("sqlite", "production")
]
AUDIT = ["audit-table-sqlite", "audit-table-production"]
OUTAGES = ["postgres-restarts", "redis-flushes", "redis-restarts"]
HANGS = ["hung-postgres", "hung-redis"]
FLOODS = ["flood-sqlite", "flood-limited", "flood-production"]
OTHERS = ["full-disk", "log-file", "writers", "full-redis", "processes"]


def survived(name: str) -> None:
    if SCENARIOS[name].backend == "production":
        need_programs()
    report = run(name, full=False)
    assert report.failures == [], str(report)


def need_programs() -> None:
    """The scenarios start their own servers, so the programs must be installed here."""
    programs = (program("initdb"), "redis-server")
    missing = [name for name in programs if shutil.which(name) is None]
    if missing and os.environ.get("CI") != "true":
        pytest.skip(f"not installed: {', '.join(missing)}")


def test_every_scenario_is_run_here() -> None:
    assert {*KILLS, *AUDIT, *OUTAGES, *HANGS, *FLOODS, *OTHERS} == SCENARIOS.keys()


@pytest.mark.parametrize("name", KILLS)
def test_what_was_answered_survives_a_kill(name: str) -> None:
    """E1: at a random moment; nothing is half, and nothing is replayed."""
    survived(name)


@pytest.mark.parametrize("name", AUDIT)
def test_without_an_audit_row_nobody_is_let_in(name: str) -> None:
    """E2: a trigger, a missing table, revoked rights: 503, no token, and nothing has changed."""
    survived(name)


def test_a_full_disk_is_a_refusal_and_passes() -> None:
    """E2: under load; logins go on once there is room."""
    survived("full-disk")


def test_a_log_that_is_full_loses_no_login() -> None:
    """E2: the log alone degrades health."""
    survived("log-file")


def test_fifty_writers_never_meet_a_lock() -> None:
    """E3: with an operator who writes to the same file."""
    survived("writers")


@pytest.mark.parametrize("name", OUTAGES)
def test_a_server_that_goes_and_comes_is_survived(name: str) -> None:
    """E4: clean refusals, recovery in seconds, never open."""
    survived(name)


@pytest.mark.parametrize("name", HANGS)
def test_a_server_that_says_nothing_hangs_nobody(name: str) -> None:
    """E4: 503 in bounded time; the probes answer all along."""
    survived(name)


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_of_begins_is_bounded(name: str) -> None:
    """E5: in memory the oldest goes, limits refuse, and a login gets through."""
    survived(name)


def test_a_redis_that_is_full_refuses_the_newest() -> None:
    """E5: nothing that waits is evicted, and no limit is forgotten."""
    survived("full-redis")


def test_four_workers_in_two_processes_let_one_in() -> None:
    """A1, A2 and A11: behind one address, begun at one and completed at another."""
    survived("processes")
