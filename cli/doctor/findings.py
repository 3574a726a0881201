"""The input of a check (an Installation), and its output (findings)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from core.settings import Settings

Level = Literal["ok", "warn", "fail"]

# core/tokens/access_tokens.py accepts a token whose times are this many seconds off.
TOLERATED_SKEW_SECONDS = 5
NOTABLE_SKEW_SECONDS = 1


@dataclass(frozen=True)
class Finding:
    """One result of a check: its level, and a text that says what was found and how to fix it."""

    level: Level
    text: str
    check: str = ""

    def line(self) -> str:
        return f"{self.level:<4}  {self.check:<16}  {self.text}"


@dataclass(frozen=True)
class Installation:
    """The service as it would start.

    `settings` may be invalid; `problems` are then the reasons, one sentence each. `workers` is the
    number of processes.
    """

    environment: Mapping[str, str]
    settings: Settings
    problems: list[str]
    workers: int


Check = Callable[[Installation], Iterator[Finding]]


def ok(text: str) -> Finding:
    return Finding("ok", text)


def warn(text: str) -> Finding:
    return Finding("warn", text)


def fail(text: str) -> Finding:
    return Finding("fail", text)


def run_check(name: str, check: Check, installation: Installation) -> Iterator[Finding]:
    """The findings of one check, with its name.

    An exception becomes a failure that names only its type: its text may hold a secret.
    """
    try:
        for finding in check(installation):
            yield Finding(finding.level, finding.text, name)
    except Exception as error:
        yield Finding("fail", f"the check itself failed: {type(error).__name__}", name)


def clock_skew(seconds: float, server: str) -> Finding:
    """The finding for a server's clock that is `seconds` ahead of the clock of this machine."""
    text = f"the clock of {server} is {abs(seconds):.1f} s {'ahead' if seconds > 0 else 'behind'}"
    if abs(seconds) > TOLERATED_SKEW_SECONDS:
        return fail(f"{text}: tokens and audit rows would have wrong times; run NTP on both")
    if abs(seconds) > NOTABLE_SKEW_SECONDS:
        return warn(f"{text}: run NTP on both")
    return ok(f"the clock agrees with that of {server}")
