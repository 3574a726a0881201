"""What a check says, and what it is told about the service."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from core.config import Settings

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One line: how bad it is, what was looked at, what was found and how to mend it."""

    level: Level
    text: str
    check: str = ""

    def line(self) -> str:
        return f"{self.level:<4}  {self.check:<16}  {self.text}"


@dataclass(frozen=True)
class Patient:
    """The service as it would start: settings, sound or not, and what is wrong with them."""

    environment: Mapping[str, str]
    settings: Settings
    problems: list[str]
    workers: int


Check = Callable[[Patient], Iterator[Finding]]


def ok(text: str) -> Finding:
    return Finding("ok", text)


def warn(text: str) -> Finding:
    return Finding("warn", text)


def fail(text: str) -> Finding:
    return Finding("fail", text)


def examine(name: str, check: Check, patient: Patient) -> Iterator[Finding]:
    """The findings of one check. One that breaks is a finding; what it says may hold a secret."""
    try:
        for finding in check(patient):
            yield Finding(finding.level, finding.text, name)
    except Exception as error:
        yield Finding("fail", f"could not be looked at: {type(error).__name__}", name)


def skew(seconds: float, where: str) -> Finding:
    """What two clocks that are `seconds` apart mean; tokens are forgiven 5 seconds."""
    text = f"the clock of {where} is {abs(seconds):.1f} s {'ahead' if seconds > 0 else 'behind'}"
    if abs(seconds) > 5:
        return fail(f"{text}: tokens and audit rows would be off; run NTP on both")
    if abs(seconds) > 1:
        return warn(f"{text}: run NTP on both")
    return ok(f"the clock agrees with that of {where}")
