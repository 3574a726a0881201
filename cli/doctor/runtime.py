"""Python, the packages that decide about security, and the user it all runs as."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from cli.doctor.findings import Finding, Patient, fail, ok, warn

OLDEST_PYTHON = (3, 11)
FLOORS = {
    # 2.13 fixes CVE-2026-48522 to 48526, among them a public key taken for an HMAC secret and
    # detached payloads that multiply work; 2.12 first refused unknown `crit` extensions.
    "PyJWT": "2.13",
    # 5.9 bounded nesting (CVE-2026-26209), 6.1.0 can refuse duplicate keys, 6.1.1 stopped
    # corrupting what is longer than 4096 bytes; 6.1.2 is the first that webauthn 3 accepts.
    "cbor2": "6.1.2",
    # Wheels before 48.0.1 carry a vulnerable OpenSSL (GHSA-537c-gmf6-5ccf), and before 49 a chain
    # of duplicate certificates takes exponential time (CVE-2026-69249): x5c is a stranger's.
    "cryptography": "49",
}


def python(_patient: Patient) -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield fail(f"Python {found} is too old: 3.11 is the oldest that will do")
    else:
        yield ok(f"Python {found}")


def packages(_patient: Patient) -> Iterator[Finding]:
    for name, floor in FLOORS.items():
        yield judge(name, floor, _installed(name))


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def judge(name: str, floor: str, found: str | None) -> Finding:
    """Whether the version that was found is at least the one without known holes."""
    mend = "`pip install -r requirements.txt`"
    if found is None:
        return fail(f"{name} is not installed: {mend}")
    if _numbers(found) < _numbers(floor):
        return fail(f"{name} {found} has known holes, {floor} is the oldest without: {mend}")
    return ok(f"{name} {found}")


def _numbers(text: str) -> list[int]:
    """The release of a version (PEP 440), which is all that our floors speak of."""
    release = re.match(r"[\d.]*\d", text)
    numbers = [int(part) for part in release[0].split(".")] if release else []
    return [*numbers, 0, 0, 0][:3]


def user(_patient: Patient) -> Iterator[Finding]:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        yield warn("root: run this, and the service, as the service's own user")
