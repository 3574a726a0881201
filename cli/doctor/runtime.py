"""Checks of Python, of the packages that decide about security, and of the user."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from cli.doctor.findings import Finding, Installation, fail, ok, warn

OLDEST_PYTHON = (3, 11)
# The oldest version of each package that has no known security hole.
FLOORS = {
    # 2.13 fixes CVE-2026-48522 to 48526, among them a public key used as an HMAC secret and
    # detached payloads that multiply work; 2.12 first refused unknown `crit` extensions.
    "PyJWT": "2.13",
    # 5.9 bounded nesting (CVE-2026-26209), 6.1.0 can refuse duplicate keys, 6.1.1 stopped
    # corrupting what is longer than 4096 bytes; 6.1.2 is the first that webauthn 3 accepts.
    "cbor2": "6.1.2",
    # Wheels before 48.0.1 carry a vulnerable OpenSSL (GHSA-537c-gmf6-5ccf), and before 49 a chain
    # of duplicate certificates takes exponential time (CVE-2026-69249): clients send chains in x5c.
    "cryptography": "49",
}


def python(_installation: Installation) -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield fail(f"Python {found} is too old: 3.11 is the oldest that works")
    else:
        yield ok(f"Python {found}")


def packages(_installation: Installation) -> Iterator[Finding]:
    for name, floor in FLOORS.items():
        yield judge(name, floor, _installed(name))


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def judge(name: str, floor: str, found: str | None) -> Finding:
    """Compare the version `found` (None: not installed) with the oldest that has no known holes."""
    fix = "`pip install -r requirements.txt`"
    if found is None:
        return fail(f"{name} is not installed: {fix}")
    if _numbers(found) < _numbers(floor):
        return fail(f"{name} {found} has known holes, {floor} is the oldest without: {fix}")
    return ok(f"{name} {found}")


def _numbers(text: str) -> list[int]:
    """The first three numbers of a version's release segment (PEP 440)."""
    release = re.match(r"[\d.]*\d", text)
    numbers = [int(part) for part in release[0].split(".")] if release else []
    return [*numbers, 0, 0, 0][:3]


def user(_installation: Installation) -> Iterator[Finding]:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        yield warn("this runs as root: run it, and the service, as the service's own user")
