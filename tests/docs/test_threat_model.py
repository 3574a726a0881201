"""The threat model is a map: attack → control → test, and none of its roads ends nowhere."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.test_docs import ROOT

MAP = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([A-E]\d+) \| (.+?) \| (.+?) \| (.+) \|$", re.MULTILINE)
ROWS = {row[0]: row for row in ROW.findall(MAP)}
EXPECTED = [
    *(f"A{n}" for n in range(1, 18)),
    *(f"B{n}" for n in range(1, 12)),
    *(f"C{n}" for n in range(1, 7)),
    "D1",
    "D2",
    *(f"E{n}" for n in range(1, 7)),
]


def docstring_of(test: str) -> str:
    """The docstring of `path::name`; it names the rows the test stands for."""
    path, _, name = test.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    (found,) = (node for node in functions if node.name == name)
    return ast.get_docstring(found) or ""


def test_every_row_of_the_attack_list_is_on_the_map() -> None:
    assert list(ROWS) == EXPECTED


@pytest.mark.parametrize("row", EXPECTED)
def test_the_control_of_a_row_is_a_file_that_exists(row: str) -> None:
    controls = re.findall(r"`([\w./]+\.(?:py|js))`", ROWS[row][2])
    assert controls
    assert [control for control in controls if not (ROOT / control).exists()] == []


@pytest.mark.parametrize("row", EXPECTED)
def test_the_tests_of_a_row_exist_and_name_it(row: str) -> None:
    tests = re.findall(r"`(tests/[\w/]+\.py::\w+)`", ROWS[row][3])
    assert tests
    for test in tests:
        assert re.match(rf"[A-E\d, and]*\b{row}\b", docstring_of(test)), test
