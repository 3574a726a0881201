"""The modules of the service on disk, and the tree of them in docs/architecture.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A path in the tree, indented by two spaces a level, then its description.
ENTRY = re.compile(r"(?P<indent> *)(?P<name>[\w.\-]+(?:/|\.\w+))(?:  +(?P<description>\S.*))?")


def documented_paths() -> dict[str, str]:
    """Each path of the tree in docs/architecture.md, with its description."""
    document = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```tree\n(.*?)```", document, re.DOTALL)
    found: dict[str, str] = {}
    folders: list[str] = []
    for line in block.splitlines():
        entry = ENTRY.fullmatch(line)
        assert entry is not None, f"not an entry of the tree: {line!r}"
        depth = len(entry["indent"]) // 2
        path = "".join(folders[:depth]) + entry["name"]
        if entry["name"].endswith("/"):
            folders[depth:] = [entry["name"]]
        found[path] = entry["description"] or ""
    return found


def service_modules(*rooms: str) -> Iterator[Path]:
    """The Python files of `rooms`: packages at the root, or single modules of it."""
    for room in rooms:
        if (ROOT / f"{room}.py").is_file():
            yield ROOT / f"{room}.py"
        yield from sorted((ROOT / room).rglob("*.py"))


def has_content(module: Path) -> bool:
    """Whether a module holds any statement; an empty `__init__.py` does not."""
    return bool(module.read_text(encoding="utf-8").strip())
