""".dockerignore as Docker reads it: the last pattern that matches a path, or a folder above it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath

from tests.deploy.workshop import ROOT

GLOBS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _regex(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.strip().strip("/"))
    return re.compile("".join(GLOBS.get(part, re.escape(part)) for part in parts))


def patterns() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


@lru_cache
def _rules() -> list[tuple[bool, re.Pattern[str]]]:
    return [(line.startswith("!"), _regex(line.removeprefix("!"))) for line in patterns()]


def is_ignored(path: str) -> bool:
    """Whether the build never sees `path` (relative to the root folder)."""
    folders = [str(parent) for parent in PurePosixPath(path).parents if str(parent) != "."]
    ignored = False
    for back_in, regex in _rules():
        if any(regex.fullmatch(name) for name in (path, *folders)):
            ignored = not back_in
    return ignored


def context() -> Iterator[Path]:
    """Every file that a build sees."""
    tops = {line.removeprefix("!").split("/")[0] for line in patterns() if line[0] == "!"}
    for top in sorted(tops):
        found = ROOT / top
        for path in sorted(found.rglob("*")) if found.is_dir() else [found]:
            if path.is_file() and not is_ignored(path.relative_to(ROOT).as_posix()):
                yield path
