"""The Dockerfile, read into what its instructions say."""

from __future__ import annotations

import json
import re
import shlex
from typing import NamedTuple

from tests.deploy.workshop import ROOT


class Instruction(NamedTuple):
    """One instruction: `keyword --flag=value ... text`."""

    keyword: str
    flags: dict[str, str]
    text: str

    @property
    def is_exec_form(self) -> bool:
        return self.text.startswith("[")

    @property
    def words(self) -> list[str]:
        return list(json.loads(self.text)) if self.is_exec_form else shlex.split(self.text)


def _instruction(line: str) -> Instruction:
    keyword, _, rest = line.partition(" ")
    flags = dict(re.findall(r"^--([\w-]+)=(\S+)", rest))
    while match := re.match(r"--([\w-]+)=(\S+)\s+", rest):
        flags[match[1]] = match[2]
        rest = rest[match.end() :]
    return Instruction(keyword.upper(), flags, rest.strip())


def _read() -> list[Instruction]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [_instruction(line) for line in joined.splitlines()]


def _stages() -> list[list[Instruction]]:
    found: list[list[Instruction]] = []
    for instruction in INSTRUCTIONS:
        if instruction.keyword == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


INSTRUCTIONS = _read()
STAGES = _stages()
FINAL = STAGES[-1]
HEALTH = "HEALTHCHECK"


def all_of(keyword: str, stage: list[Instruction] | None = None) -> list[Instruction]:
    """The instructions of one kind, in `stage` or in the whole file."""
    return [found for found in stage or INSTRUCTIONS if found.keyword == keyword]


def the(keyword: str) -> Instruction:
    """The one instruction of its kind in the final stage."""
    (found,) = all_of(keyword, FINAL)
    return found


def health_command() -> list[str]:
    """The health check's command, in exec form."""
    return list(json.loads(the(HEALTH).text.removeprefix("CMD ")))


def environment() -> dict[str, str]:
    """What ENV sets in the final stage and in the base it stands on."""
    return {
        name: value
        for stage in (STAGES[0], FINAL)
        for instruction in all_of("ENV", stage)
        for name, _, value in (word.partition("=") for word in instruction.words)
    }
