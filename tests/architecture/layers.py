"""The layers of the service, and which modules import which."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.architecture.tree import ROOT, service_modules

# From top to bottom. A layer may import from the layers below its own, never from one above.
LAYERS = (
    ("main",),
    ("routes",),
    ("auth", "services"),
    ("audit", "stores"),
    ("models", "schemas"),
    ("core",),
)
LAYER_OF = {room: depth for depth, rooms in enumerate(LAYERS) for room in rooms}
# Within one layer only this: audit.py writes its rows through a store.
SAME_LAYER = {("audit", "stores")}
# Beside the service: these may import the service, the service never imports them.
OUTSIDE = {"assurance", "bench", "cli", "devtools", "migrations", "reset_db", "scripts", "tests"}
ROOT_MODULES = {"main", "models", "schemas", "auth", "audit", "reset_db"}


class Import(NamedTuple):
    """One imported name: `room` is the first part of its module; `name` is "" for a module."""

    importer: str
    room: str
    module: str
    name: str


def room_of(path: Path) -> str:
    """The first part of a module's name: its package, or the module itself at the root."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[Import]:
    """Every import of the module at `path`, also those inside of functions."""
    importer = path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(importer, alias.name.partition(".")[0], alias.name, "")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{importer}: a relative import"
            module = node.module or ""
            for alias in node.names:
                yield Import(importer, module.partition(".")[0], module, alias.name)


def service_imports() -> list[Import]:
    """Every import of every module of the service."""
    return [found for path in service_modules(*LAYER_OF) for found in imports(path)]


def may_import(importer: str, imported: str) -> bool:
    """Whether the room `importer` may import from the room `imported`."""
    return (
        importer == imported
        or LAYER_OF[importer] < LAYER_OF[imported]
        or (importer, imported) in SAME_LAYER
    )
