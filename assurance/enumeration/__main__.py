"""The command line: `python -m assurance.enumeration`. Exit code 1 if it finds a difference."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from assurance.enumeration.answers import differences, offers
from assurance.enumeration.population import (
    MIXED,
    ONE_SHAPE,
    PUBLISHED,
    People,
    Shape,
    give_second_passkeys,
    register_hostile_people,
    register_people,
)
from assurance.enumeration.timings import MEASURES, compare
from assurance.support.server_process import serving, temporary_folder

AUC_LIMIT = 0.55
PEOPLE = 200
HOSTILE_PEOPLE = 400
TIMINGS = 2000
SHOWN = 200
SETTINGS = ("known", "none")


@contextmanager
def fresh_service(setting: str) -> Iterator[tuple[str, Path]]:
    """A service without accounts under OFFER_CREDENTIALS=`setting`, and its folder."""
    with temporary_folder() as folder, served(folder, setting) as url:
        yield url, folder


@contextmanager
def served(folder: Path, setting: str) -> Iterator[str]:
    with serving(folder, DANGER_RATE_LIMITS_OFF="true", OFFER_CREDENTIALS=setting) as url:
        yield url


def before_and_after(setting: str, timings: int) -> int:
    """D1 and D2, before and after 400 registrations with odd ids: the number of findings.

    The people have passkeys of the shapes that the decoys imitate, in the same shares.
    """
    with fresh_service(setting) as (url, folder):
        people = register_people(url, folder, PUBLISHED, PEOPLE)
        found = examine(f"OFFER_CREDENTIALS={setting}", url, people, timings)
        asked = [email for emails in people.emails.values() for email in emails]
        before = offers(url, asked)
        register_hostile_people(url, HOSTILE_PEOPLE)
        pairs = zip(before, offers(url, asked), strict=True)
        changed = sum(1 for earlier, later in pairs if earlier != later)
        title = f"OFFER_CREDENTIALS={setting}, after {HOSTILE_PEOPLE} hostile registrations"
        print(f"D1, {title}: {changed} of {len(asked)} answers changed")
        return found + changed + examine(title, url, people, timings)


def examine(title: str, url: str, people: People, timings: int) -> int:
    return report_answers(title, url, people) + report_timings(title, url, people, timings)


def report_answers(title: str, url: str, people: People) -> int:
    lines = sorted(set(differences(url, people)))
    print(f"D1, {title}: {len(lines)} differences", *(line[:SHOWN] for line in lines), sep="\n  ")
    return len(lines)


def report_timings(title: str, url: str, people: People, count: int) -> int:
    betrayed = 0
    for name, measure in MEASURES.items():
        print(f"D2, {title}, {name}: {count} timings of each kind, limit {AUC_LIMIT}")
        for comparison in compare(url, people, count, measure):
            print(f"  {comparison}", flush=True)
            betrayed += comparison.auc > AUC_LIMIT
    return betrayed


def other_populations() -> int:
    """D1 for accounts whose passkeys are not those of the published table.

    With OFFER_CREDENTIALS=known their shapes tell something, and the report says how much; that is
    no finding. With `none` nothing may differ.
    """
    found = 0
    populations: dict[str, Sequence[Shape]] = {"one shape": ONE_SHAPE, "mixed shapes": MIXED}
    for setting in SETTINGS:
        for name, shapes in populations.items():
            with fresh_service(setting) as (url, folder):
                people = register_people(url, folder, shapes, PEOPLE)
                give_second_passkeys(folder, people.emails["known"][::2])
                title = f"OFFER_CREDENTIALS={setting}, {name}, every second with two devices"
                differing = report_answers(title, url, people)
                found += differing if setting == "none" else 0
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line in, the exit code out."""
    parser = argparse.ArgumentParser(prog="python -m assurance.enumeration", description=__doc__)
    parser.add_argument("--timings", type=int, default=TIMINGS, help="of each kind of account")
    options = parser.parse_args(arguments)
    failures = other_populations()
    failures += sum(before_and_after(setting, options.timings) for setting in SETTINGS)
    print(
        "no kind of account can be told apart"
        if not failures
        else f"{failures} ways to tell who is registered"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
