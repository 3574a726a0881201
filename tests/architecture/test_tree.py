"""docs/architecture.md shows the folders and modules that there are, and no file is too long."""

from __future__ import annotations

import pytest

from tests.architecture.layers import LAYER_OF, OUTSIDE
from tests.architecture.tree import ROOT, documented_paths, has_content, service_modules

MAX_LINES = 350
DOCUMENTED = documented_paths()


def test_every_module_of_the_service_stands_in_the_tree_and_the_reverse() -> None:
    modules = {
        path.relative_to(ROOT).as_posix()
        for path in service_modules(*LAYER_OF)
        if has_content(path)
    }
    shown = {path for path in DOCUMENTED if path.endswith(".py")}
    rooms = {f"{room}/" for room in OUTSIDE if (ROOT / room).is_dir()}
    outside = {path for path in shown if path.startswith(tuple(rooms))}
    assert shown - outside - {"reset_db.py"} == modules


def test_every_folder_at_the_root_stands_in_the_tree() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/*.py")} | {"docs", "deploy", "static"}
    assert {f"{folder}/" for folder in folders} <= DOCUMENTED.keys()


@pytest.mark.parametrize("path", DOCUMENTED)
def test_every_path_in_the_tree_exists_and_is_described(path: str) -> None:
    assert (ROOT / path).exists()
    assert DOCUMENTED[path]


def test_no_file_of_the_service_is_longer_than_350_lines() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in service_modules(*LAYER_OF)
    }
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}
