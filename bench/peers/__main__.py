"""The command line: `python -m bench.peers`. Exit code 1 if any operation failed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.load.systems import OnSqlite, System
from bench.peers import report
from bench.peers.chart import svg
from bench.peers.install import Missing
from bench.peers.rounds import Rounds, compare
from bench.peers.systems import PEERS

DEFAULT = Rounds()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=DEFAULT.count)
    parser.add_argument("--seconds", type=float, default=DEFAULT.seconds, help="of each turn")
    parser.add_argument("--connections", type=int, default=DEFAULT.connections)
    names = [peer.name for peer in PEERS]
    parser.add_argument("--only", nargs="+", choices=names, help="these peers")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the chart there")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args(arguments)


def _systems(only: Sequence[str] | None) -> list[System]:
    found: list[System] = [OnSqlite("this service")]
    for peer in PEERS:
        if only and peer.name not in only:
            continue
        try:
            peer.install()
        except Missing as error:
            print(f"Without {peer.name}: {error}", file=sys.stderr)
        else:
            found.append(peer)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line in, the exit code out."""
    options = _options(arguments)
    rounds = Rounds(options.rounds, options.seconds, options.connections)
    standings = compare(_systems(options.only), rounds)
    print(report.text(standings, rounds))
    if options.svg:
        options.svg.write_text(svg(standings), "utf-8")
    if options.json:
        found = [each.as_json() for each in standings]
        options.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    return 1 if any(each.errors for each in standings) else 0


if __name__ == "__main__":
    sys.exit(main())
