"""Write audit events to standard output, oldest first, one line for each.

    python -m cli audit-export --format csv --since 7d --event-type login_complete
    python -m cli audit-export --ip 203.0.113.7 --failed --newest 20

The command reads the database of DATABASE_URL (or DATABASE_URL_FILE) and
changes nothing. An event must match every filter that is given.

Exit status 0: done, even if no event matches; 1: the database or a filter is
wrong, with one sentence on standard error; 2: wrong arguments.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping

from sqlalchemy.exc import DBAPIError

from cli.audit_export import filters
from cli.audit_export.formats import FORMATS
from cli.audit_export.reading import read
from cli.errors import CommandError
from core.errors import ConfigurationError
from core.settings import Settings

SUMMARY = "write audit events to standard output"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=FORMATS, default="jsonl", help="default: jsonl")
    parser.add_argument(
        "--since", type=filters.moment, metavar="TIME", help="ISO 8601 in UTC, or an age: 30m, 12h"
    )
    parser.add_argument(
        "--until", type=filters.moment, metavar="TIME", help="the same; this moment is excluded"
    )
    parser.add_argument(
        "--event-type",
        action="append",
        choices=filters.EVENT_TYPES,
        metavar="TYPE",
        help=f"may be repeated; one of {', '.join(filters.EVENT_TYPES)}",
    )
    parser.add_argument("--email", help="events that this account did, or that are about it")
    parser.add_argument(
        "--ip", type=filters.address, metavar="ADDRESS", help="the IP address of the client"
    )
    parser.add_argument(
        "--reason", action="append", metavar="WORD", help="why it was refused; may be repeated"
    )
    parser.add_argument("--failed", action="store_true", help="only what was refused (success = 0)")
    number = parser.add_mutually_exclusive_group()
    number.add_argument("--newest", type=filters.count, metavar="N", help="the newest N events")
    number.add_argument("--limit", type=filters.count, metavar="N", help="the oldest N events")


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Write the events that match. Raises CommandError."""
    try:
        url = _database_url(environment)
        written = read(url, filters.Filters.of(options), FORMATS[options.format])
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of a pipe, such as `head`, has ended. Without this, Python would try to flush
        # the rest at exit and print an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ConfigurationError as error:
        raise CommandError(str(error)) from None
    except (DBAPIError, OSError) as error:
        raise CommandError(f"The database cannot be read ({type(error).__name__})") from None
    if not written:
        print("No event matches.", file=sys.stderr)
    return 0


def _database_url(environment: Mapping[str, str]) -> str:
    """DATABASE_URL, or the content of DATABASE_URL_FILE. No other setting is read."""
    names = ("DATABASE_URL", "DATABASE_URL_FILE")
    given = {name: environment[name] for name in names if name in environment}
    return Settings.from_environment(given).database_url
