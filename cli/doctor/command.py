"""Check a whole installation: settings, files, database, Redis and packages.

Prints one line for each finding, with what to do about it, and shows no secret.
The command reads the environment as the service does. It changes nothing: it
writes and deletes one file in the database's folder and one key in Redis, and
rolls its database transaction back.

Exit status 0: nothing fails, but there may be warnings; 1: the service would
not start, or would not work.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from cli.doctor import configuration, files, runtime
from cli.doctor.database import database
from cli.doctor.findings import Check, Finding, Installation, run_check
from cli.doctor.redis import redis
from core.process import worker_count
from core.settings import Settings

SUMMARY = "check an installation and say how to fix it"

CHECKS: dict[str, Check] = {
    "python": runtime.python,
    "packages": runtime.packages,
    "user": runtime.user,
    "settings": configuration.settings,
    "environment": configuration.environment,
    "secrets": configuration.secrets,
    "secret files": files.secret_files,
    "decoys": configuration.decoys,
    "origins": configuration.origins,
    "related origins": configuration.related,
    "proxies": configuration.proxies,
    "rate limits": configuration.rate_limits,
    "workers": configuration.workers,
    "log file": files.log_file,
    "disk": files.disk,
    "sqlite folder": files.sqlite_folder,
    "database": database,
    "redis": redis,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument(
        "--workers", type=int, help="number of uvicorn workers (default: WEB_CONCURRENCY, or 1)"
    )


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Print every finding; 1 if one of them fails."""
    findings = list(diagnose(environment, options.workers))
    healthy = not any(finding.level == "fail" for finding in findings)
    if options.json:
        print(json.dumps({"healthy": healthy, "findings": list(map(asdict, findings))}, indent=2))
    else:
        print(*(finding.line() for finding in findings), sep="\n")
    return 0 if healthy else 1


def diagnose(environment: Mapping[str, str], workers: int | None = None) -> Iterator[Finding]:
    """The findings of all checks, about the service as these environment variables configure it.

    `workers`: how many processes uvicorn starts; by default what the environment says.
    """
    settings, problems = Settings.danger_unchecked(environment)
    count = worker_count(environment, ()) if workers is None else workers
    installation = Installation(environment, settings, problems, count)
    for name, check in CHECKS.items():
        yield from run_check(name, check, installation)
