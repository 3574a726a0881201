"""Say whether FILE is an undamaged database of this service, and what it holds.

Every page and every index is read, and the schema is one that this version
can use. FILE is not changed.

Exit status 0: it is good; 1: it is not, with one sentence.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from cli.backup.database_file import examine
from cli.errors import CommandError

SUMMARY = "say whether a copy of the SQLite database is good"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")


def run(options: argparse.Namespace, _environment: Mapping[str, str]) -> int:
    """Examine the file. Raises CommandError if it is not good."""
    try:
        print(f"{options.file}: good, {examine(options.file)}")
    except CommandError as error:
        raise CommandError(f"Not good: {error}.") from None
    return 0
