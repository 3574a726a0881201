"""The comparison as a table; every ratio is relative to this service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.load.report import table
from bench.peers.rounds import KINDS, Rounds, Standing

NAMES = {"login": "login", "register": "register", "profile": "get user"}


def text(standings: Sequence[Standing], rounds: Rounds) -> str:
    """The table; the first of the standings is this service."""
    explained = (
        f"medians of {rounds.count} rounds at {rounds.connections} connections; server CPU in ms "
        "for each operation (a login is two requests), user and system time; x: times this service"
    )
    notes = [
        f"{each.name}: {count} x {reason}"
        for each in standings
        for reason, count in each.errors.items()
    ]
    return "\n".join((table(list(_rows(standings))), "", explained, *notes))


def _rows(standings: Sequence[Standing]) -> Iterator[tuple[str, ...]]:
    cpu = (part for kind in KINDS for part in (f"CPU {NAMES[kind]}", "x"))
    yield ("system", "durable", "syncs/login", "commits/login", *cpu, "logins/s", "x")
    baseline = standings[0]
    for each in standings:
        yield (
            each.name,
            each.durable,
            *_disk(each),
            *_cpu(each, baseline),
            *_speed(each, baseline),
        )


def _disk(each: Standing) -> tuple[str, str]:
    syncs, commits = each.syncs_per_login, each.commits["login"]
    return ("-" if syncs is None else f"{syncs:.2f}", f"{commits or 0:.2f}")


def _cpu(each: Standing, baseline: Standing) -> Iterator[str]:
    for kind in KINDS:
        yield f"{each.cpu[kind]:.3f}"
        yield _ratio(each.cpu[kind], baseline.cpu[kind])


def _speed(each: Standing, baseline: Standing) -> tuple[str, str]:
    own, base = each.per_second["login"], baseline.per_second["login"]
    return f"{own:.0f}", _ratio(own, base)


def _ratio(value: float, baseline: float) -> str:
    return f"{value / baseline:.2f}" if baseline else "-"
