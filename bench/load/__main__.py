"""The command line: `python -m bench.load`. Exit code 1 if any operation failed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bench.load.measure import Figures, Plan, against, examine, subject
from bench.load.pinning import share_cores
from bench.load.processes import listener
from bench.load.report import text, write_json
from bench.load.systems import OnPostgres, OnSqlite, Served, System, why_not_postgres
from bench.load.wire import loopback

DEFAULT = Plan()
# No process has this id.
NO_PID = -1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--seconds", type=float, default=DEFAULT.seconds, help="of each cell")
    parser.add_argument(
        "--operations", type=int, default=DEFAULT.operations, help="at most, in each cell"
    )
    parser.add_argument("--connections", type=int, nargs="+", default=DEFAULT.connections)
    parser.add_argument("--kinds", nargs="+", choices=DEFAULT.kinds, default=DEFAULT.kinds)
    parser.add_argument("--backends", nargs="+", choices=("sqlite", "postgres"))
    parser.add_argument(
        "--workers", type=int, default=1, help="of the server; more than 1 on PostgreSQL only"
    )
    parser.add_argument("--processes", type=int, default=DEFAULT.processes, help="of the clients")
    parser.add_argument("--no-trace", action="store_true", help="count no syncs with strace")
    parser.add_argument("--url", help="a server that runs already, on the loopback interface")
    parser.add_argument("--origin", help="what that server knows as its ORIGIN")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args(arguments)


def _plan(options: argparse.Namespace) -> Plan:
    return Plan(
        connections=options.connections,
        kinds=options.kinds,
        seconds=options.seconds,
        operations=options.operations,
        processes=options.processes,
        trace=not options.no_trace,
    )


def _systems(options: argparse.Namespace) -> list[System]:
    asked: Sequence[str] | None = options.backends
    found: list[System] = []
    if options.workers == 1 and "sqlite" in (asked or ("sqlite",)):
        found.append(OnSqlite())
    if "postgres" in (asked or ("postgres",)):
        missing = why_not_postgres()
        if missing is None:
            found.append(OnPostgres(options.workers))
        elif asked:
            raise SystemExit(missing)
        else:
            print(f"SQLite only: {missing}.", file=sys.stderr)
    return found


def _measure_all(options: argparse.Namespace, plan: Plan) -> list[Figures]:
    found = []
    for system in _systems(options):
        with subject(system, plan) as (ready, cores):
            found.append(examine(ready, system.name, cores, plan))
    return found


def _measure_running(options: argparse.Namespace, plan: Plan) -> list[Figures]:
    try:
        _, port = loopback(options.url)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    pid = listener(port)
    if pid is None:
        print("The server's process cannot be seen: no CPU, no memory.", file=sys.stderr)
    origin = options.origin or f"http://localhost:{port}"
    served = Served(options.url, origin, pid or NO_PID, storage=None)
    cores = share_cores()
    # This command cannot move a running server to other cores.
    cores = cores._replace(server=frozenset())
    with against(served, OnSqlite(), plan, cores) as ready:
        return [examine(ready, urlsplit(options.url).netloc, cores, plan)]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line in, the exit code out."""
    options = _options(arguments)
    measure = _measure_running if options.url else _measure_all
    found = measure(options, _plan(options))
    print(text(found))
    if options.json:
        write_json(options.json, found)
    return 1 if any(figures.errors for figures in found) else 0


if __name__ == "__main__":
    sys.exit(main())
