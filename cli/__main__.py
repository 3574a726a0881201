"""Commands for the people who operate the service.

    python -m cli doctor                                        check an installation
    python -m cli backup FILE                                   copy the SQLite database
    python -m cli restore FILE                                  put a copy in its place
    python -m cli verify FILE                                   say whether a copy is good
    python -m cli copy-database --from sqlite:///./app.db       copy SQLite into PostgreSQL
    python -m cli audit-export --format csv --since 7d          write audit events to stdout

All of them read the same environment variables as the service. Exit status 0: done; 1: not done,
with one sentence on standard error; 2: wrong arguments.

This module runs without the service's packages, and on a Python that is too old for the service:
it then says so in one sentence.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from cli.errors import CommandError

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)
# Each module has SUMMARY, add_arguments(parser) and run(options, environment) -> exit status.
COMMANDS = {
    "doctor": "cli.doctor.command",
    "backup": "cli.backup.backup",
    "restore": "cli.backup.restore",
    "verify": "cli.backup.verify",
    "copy-database": "cli.copy_database.command",
    "audit-export": "cli.audit_export.command",
}
ADVICE = "run the command with .venv/bin/python, which has what the service needs"


def main(
    arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ
) -> int:
    """Run one command. `arguments`: those of the command line, without the program's name."""
    try:
        options = _parser(_modules()).parse_args(arguments)
        status: int = options.run(options, environment)
    except CommandError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return status


def _modules() -> dict[str, Any]:
    """The modules of all commands by name. Raises CommandError if this Python cannot load them."""
    if sys.version_info[:2] < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        raise CommandError(f"{sys.executable} is Python {found}, which is too old: {ADVICE}.")
    try:
        return {name: import_module(module) for name, module in COMMANDS.items()}
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if (ROOT / package).is_dir() or (ROOT / f"{package}.py").is_file():
            raise
        lacks = f"{sys.executable} does not have the package {package}"
        raise CommandError(f"{lacks}: {ADVICE}.") from None


def _parser(modules: Mapping[str, Any]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cli",
        description="Commands for the people who operate the service.",
        epilog="`python -m cli COMMAND --help` describes one command.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, module in modules.items():
        command = commands.add_parser(
            name,
            help=module.SUMMARY,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
