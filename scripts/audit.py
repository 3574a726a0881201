"""Look the pinned packages of the service up in the advisories that pip-audit reads.

    make audit

| exit status | |
|---|---|
| 0 | every package was looked up, and no vulnerability is known |
| 1 | a vulnerability is known |
| 3 | unknown: the advisories could not be read, or do not have all packages |

pip-audit alone exits with 0 when an index answers "no such package" for every package, as an
index without advisories does. This script counts such a package as not looked up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# The larger of the two locks: it contains the other one.
LOCK = "requirements-otel.lock"
CLEAN, VULNERABLE, UNKNOWN = 0, 1, 3


def main() -> int:
    """Run pip-audit and print the verdict. Returns the exit status."""
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--disable-pip"]
    command += ["--require-hashes", "--requirement", LOCK, "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    status, said = judge(done.stdout)
    print(said)
    if not done.stdout:
        print(*done.stderr.strip().splitlines()[-1:], sep="\n")
    return status


def judge(report: str) -> tuple[int, str]:
    """The exit status for a report of pip-audit in JSON, and a text for people."""
    try:
        packages = json.loads(report)["dependencies"]
    except ValueError:
        return UNKNOWN, "Not checked: the advisories could not be read. Is this machine offline?"
    lines = [line for package in packages for line in vulnerabilities(package)]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if skipped:
        lines.append(
            f"Not checked: {len(skipped)} of {len(packages)} packages have no advisories here. "
            f"Is this machine offline, or is its package index a mirror?"
        )
    if any(package.get("vulns") for package in packages):
        return VULNERABLE, "\n".join(lines)
    if skipped or not packages:
        return UNKNOWN, "\n".join(lines) or "Not checked: the lock names no package."
    return CLEAN, f"All packages ({len(packages)}) were looked up; no vulnerability is known."


def vulnerabilities(package: dict[str, Any]) -> list[str]:
    """One line for each known vulnerability of a package."""
    return [
        f"{package['name']} {package['version']}: {found['id']}, fixed in "
        f"{', '.join(found['fix_versions']) or 'no version yet'}"
        for found in package.get("vulns", ())
    ]


if __name__ == "__main__":
    sys.exit(main())
