"""Check a whole installation, before it serves or when it does not.

    python -m devtools.doctor                one line a check, and how to mend it
    python -m devtools.doctor --workers 4    as `uvicorn --workers 4` would be started
    python -m devtools.doctor --json         the same for programs

Reads the environment as the service does, and shows no secret. Nothing is changed: it writes and
deletes a file in the database's folder and a key in Redis, and rolls its transaction back.
Exit code 0: nothing fails, though something may warn; 1: the service would not start or not work.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from core.config import Settings
from core.process import worker_count
from devtools.doctor import configuration, files, runtime
from devtools.doctor.database import database
from devtools.doctor.findings import Check, Finding, Patient, examine
from devtools.doctor.redis import redis

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


def diagnose(environment: Mapping[str, str], workers: int | None = None) -> Iterator[Finding]:
    """Every finding about the service that `environment` describes, check by check."""
    settings, problems = Settings.danger_unchecked(environment)
    many = worker_count(environment, ()) if workers is None else workers
    patient = Patient(environment, settings, problems, many)
    for name, check in CHECKS.items():
        yield from examine(name, check, patient)


def main(
    arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ
) -> int:
    """Print what is found; 1 if anything fails."""
    asked = _parse(arguments)
    findings = list(diagnose(environment, asked.workers))
    healthy = not any(finding.level == "fail" for finding in findings)
    if asked.json:
        print(json.dumps({"healthy": healthy, "findings": list(map(asdict, findings))}, indent=2))
    else:
        print(*(finding.line() for finding in findings), sep="\n")
    return 0 if healthy else 1


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m devtools.doctor", description="Check a whole installation."
    )
    parser.add_argument("--json", action="store_true", help="findings for programs")
    parser.add_argument(
        "--workers", type=int, help="how many processes uvicorn starts (default: WEB_CONCURRENCY)"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
