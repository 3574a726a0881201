"""The command line: `python -m assurance.enumeration`. Exit code 1 if it finds a difference."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from assurance.enumeration.answers import differences
from assurance.enumeration.population import (
    MIXED,
    ONE_SHAPE,
    People,
    Shape,
    give_second_passkeys,
    register_people,
)
from assurance.enumeration.timings import MEASURES, compare
from assurance.support.server_process import serving, temporary_folder

AUC_LIMIT = 0.55
PEOPLE = 150
TIMINGS = 2000
SHOWN = 200


@contextmanager
def fresh_service() -> Iterator[tuple[str, Path]]:
    """A service without accounts, and its folder."""
    with temporary_folder() as folder, served(folder) as url:
        yield url, folder


@contextmanager
def served(folder: Path) -> Iterator[str]:
    with serving(folder, DANGER_RATE_LIMITS_OFF="true") as url:
        yield url


def compare_answers() -> int:
    """D1 for accounts with passkeys of one shape, of several shapes, and with two devices."""
    found = 0
    populations: dict[str, Sequence[Shape]] = {"one shape": ONE_SHAPE, "mixed shapes": MIXED}
    for name, shapes in populations.items():
        with fresh_service() as (url, folder):
            found += report(f"D1, {name}", url, register_people(url, folder, shapes, PEOPLE))
    with temporary_folder() as folder:
        with served(folder) as url:
            people = register_people(url, folder, ONE_SHAPE, PEOPLE)
        # Accounts of each kind, because decoys imitate all registered passkeys.
        for kind in ("known", "disabled"):
            give_second_passkeys(folder, people.emails[kind][::2])
        # The service reads the shapes of passkeys when it starts.
        with served(folder) as url:
            found += report("D1, every second account with two devices", url, people)
    return found


def report(title: str, url: str, people: People) -> int:
    lines = sorted(set(differences(url, people)))
    print(f"{title}: {len(lines)} differences", *(line[:SHOWN] for line in lines), sep="\n  ")
    return len(lines)


def compare_timings(count: int) -> int:
    """D2: the number of kinds of account that the timing tells apart."""
    betrayed = 0
    with fresh_service() as (url, folder):
        people = register_people(url, folder, ONE_SHAPE, 50)
        for name, measure in MEASURES.items():
            print(f"D2, {name}: {count} timings of each kind, limit {AUC_LIMIT}")
            for comparison in compare(url, people, count, measure):
                print(f"  {comparison}")
                betrayed += comparison.auc > AUC_LIMIT
    return betrayed


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line in, the exit code out."""
    parser = argparse.ArgumentParser(prog="python -m assurance.enumeration", description=__doc__)
    parser.add_argument("--timings", type=int, default=TIMINGS, help="of each kind of account")
    options = parser.parse_args(arguments)
    failures = compare_answers() + compare_timings(options.timings)
    print(
        "no kind of account can be told apart"
        if not failures
        else f"{failures} ways to tell who is registered"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
