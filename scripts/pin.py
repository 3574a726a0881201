"""Write constraints.txt: every package the direct requirements pull in, pinned exactly.

    make pins       resolves afresh; read the diff before you commit it

One set must serve Linux, macOS and Windows on every Python named below. pip resolves for the
machine it runs on, so the conditions in the packages' metadata are checked here for all of them.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ("requirements.txt", "requirements-otel.txt", "requirements-dev.txt")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}
# Asked for on some machines alone, so a resolution elsewhere never meets them.
ELSEWHERE = {
    "async-timeout": ("5.0.1", 'python_full_version < "3.11.3"'),
    "colorama": ("0.4.6", 'sys_platform == "win32"'),
}
HEADER = """\
# What the direct requirements pull in, pinned exactly: one set for Python 3.11 to 3.14.
# Written by `make pins`; read by requirements.txt with `-c`. Only what is asked for is installed.
"""


def main() -> int:
    """Resolve, check, write; the exit code is 1 if the set would not do everywhere."""
    direct = list(direct_requirements())
    packages = resolve(direct)
    pins = {package["name"]: package["version"] for package in packages}
    missing = sorted(unpinned(packages, pins))
    if missing:
        print("Pinned nowhere, but asked for somewhere:", *missing, sep="\n  ")
        return 1
    asked = {canonicalize_name(Requirement(line).name) for line in direct}
    lines = [f"{name}=={version}" for name, version in pins.items() if canonical(name) not in asked]
    lines += [f"{name}=={version} ; {where}" for name, (version, where) in ELSEWHERE.items()]
    (ROOT / "constraints.txt").write_text(HEADER + "\n".join(sorted(lines, key=canonical)) + "\n")
    print(f"constraints.txt: {len(lines)} pins")
    return 0


def canonical(line: str) -> str:
    return canonicalize_name(line.partition("==")[0])


def direct_requirements() -> Iterator[str]:
    for name in REQUIREMENTS:
        for line in (ROOT / name).read_text().splitlines():
            if line and not line.startswith(("#", "-")):
                yield line


def resolve(direct: list[str]) -> list[dict[str, Any]]:
    """The metadata of everything that pip would install, on this machine, into nothing."""
    command = [sys.executable, "-m", "pip", "--quiet", "--quiet", "install", "--dry-run"]
    command += ["--ignore-installed", "--report", "-", *direct]
    report = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return [package["metadata"] for package in json.loads(report)["install"]]


def unpinned(packages: list[dict[str, Any]], pins: dict[str, str]) -> Iterator[str]:
    known = {canonicalize_name(name) for name in (*pins, *ELSEWHERE)}
    for package in packages:
        for line in package.get("requires_dist", ()):
            requirement = Requirement(line)
            if canonicalize_name(requirement.name) not in known and applies(requirement.marker):
                yield f"{line} (by {package['name']})"


def applies(marker: Marker | None) -> bool:
    """Whether the condition holds on any machine we promise. Extras are not asked for."""
    if marker is None:
        return True
    return any(
        marker.evaluate(
            {
                "extra": "",
                "platform_python_implementation": "CPython",
                "platform_system": SYSTEMS[system],
                "python_full_version": f"{python}.0",
                "python_version": python,
                "sys_platform": system,
            }
        )
        for python, system in itertools.product(PYTHONS, SYSTEMS)
    )


if __name__ == "__main__":
    sys.exit(main())
