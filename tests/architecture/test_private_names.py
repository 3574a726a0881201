"""No file uses a private name of a library, but for the marked files, each with its decision page.

A private name is one that begins with an underscore, or that a library has for itself and does not
document. Either may be gone after the next upgrade.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
DECISIONS = ROOT / "docs" / "decisions"
ROOMS = [
    "main",
    "auth",
    "audit",
    "models",
    "schemas",
    "routes",
    "services",
    "stores",
    "core",
    "cli",
]

# What each marked file may use. A page in docs/decisions names the file, with its price.
MARKED: dict[str, set[str]] = {
    "routes/strict_route.py": set(),
    "routes/edge/peer_address.py": {"__self__"},
    "core/database/compiled_statements.py": {
        *("_bind_processors", "_compile_w_cache", "_multi_values", "_result_columns"),
        *("_process_parameters_for_postcompile", "dialect_impl", "effective_returning"),
        *("implicit_returning", "insert_prefetch", "positiontup", "postfetch_lastrowid"),
    },
    "core/database/sqlite_group_commit.py": set(),
    "core/email_address.py": set(),
    "core/tokens/fast_path.py": set(),
}
# Names without an underscore that a library has for itself.
UNDOCUMENTED = {
    # FastAPI and Starlette
    *("body_params", "build_middleware_stack", "field_info"),
    *("param_convertors", "path_regex", "user_middleware"),
    # SQLAlchemy
    *("dialect_impl", "effective_returning", "implicit_returning", "insert_prefetch"),
    *("positiontup", "postfetch_lastrowid"),
}
# Documented names that begin with underscores: of the language, of named tuples, of SQLAlchemy.
DOCUMENTED = {
    *("__annotations__", "__cause__", "__class__", "__context__", "__doc__", "__file__"),
    *("__init__", "__module__", "__name__", "__qualname__", "__signature__", "__subclasses__"),
    *("_asdict", "_fields", "_make", "_replace"),
    *("__table__", "__tablename__"),
}
PRICE = re.compile(r"\d (%|µs|ms)")
BY_NAME = {"getattr", "setattr", "delattr", "hasattr"}


class Use(NamedTuple):
    """One use of a private name."""

    file: str
    line: int
    name: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} uses {self.name}"


def files() -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))
        if (ROOT / f"{room}.py").is_file():
            yield ROOT / f"{room}.py"


def uses(file: str, text: str) -> Iterator[Use]:
    """Every private name in `text` that the same file does not define."""
    tree = ast.parse(text)
    own = {name for node in ast.walk(tree) for name in _defined_by(node)}
    for node in ast.walk(tree):
        for name in _used_by(node):
            if is_private(name) and name not in own:
                yield Use(file, getattr(node, "lineno", 0), name)


def is_private(name: str) -> bool:
    return (name.startswith("_") and name not in DOCUMENTED) or name in UNDOCUMENTED


def _defined_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_own(node):
        yield node.attr


def _is_own(node: ast.Attribute) -> bool:
    """Whether a method names an attribute of its own object, or of its class."""
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def _used_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Import):
        for alias in node.names:
            yield from _private_parts(alias.name)
    elif isinstance(node, ast.ImportFrom):
        yield from _private_parts(node.module or "")
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        by_name = node.args[1:2] if node.func.id in BY_NAME else []
        yield from (str(each.value) for each in by_name if isinstance(each, ast.Constant))


def _private_parts(module: str) -> Iterator[str]:
    yield from (part for part in module.split(".") if part != "__future__")


def uses_of(path: Path) -> list[Use]:
    file = path.relative_to(ROOT).as_posix()
    return list(uses(file, path.read_text(encoding="utf-8")))


def test_no_other_file_uses_a_private_name_of_a_library() -> None:
    wrong = [
        str(use)
        for path in files()
        for use in uses_of(path)
        if use.name not in MARKED.get(use.file, set())
    ]
    assert wrong == []


@pytest.mark.parametrize("file", MARKED)
def test_a_marked_file_uses_all_that_it_may(file: str) -> None:
    """A name that is no longer used is no longer allowed."""
    assert {use.name for use in uses_of(ROOT / file)} == MARKED[file]


@pytest.mark.parametrize("file", MARKED)
def test_a_marked_file_has_a_page_that_gives_its_price(file: str) -> None:
    pages = [page.read_text(encoding="utf-8") for page in DECISIONS.glob("[0-9]*.md")]
    assert any(f"`{file}`" in page and PRICE.search(page) for page in pages)


FOUND = {
    "an attribute": ("send._transport", "_transport"),
    "an attribute of self that a base class has": ("self._open()", "_open"),
    "a dunder of a library": ("model.__pydantic_core_schema__", "__pydantic_core_schema__"),
    "the dictionary of an object": ("record.__dict__ = {}", "__dict__"),
    "a method's object": ("getattr(send, '__self__', None)", "__self__"),
    "an assignment to another object": ("pool._size = 5", "_size"),
    "a private module": ("import uvicorn._subprocess", "_subprocess"),
    "a name from a private module": ("from uvicorn._types import Scope", "_types"),
    "a private name": ("from jwt.api_jwt import _jwt", "_jwt"),
    "an undocumented name": ("compiled.positiontup", "positiontup"),
}  # fmt: skip
ALLOWED = {
    "an attribute of the file's own": "class A:\n    def f(self): self._x = 1\ndef f(a): a._x",
    "a method of the file's own": "class A:\n    def _f(self): ...\n    def g(self): self._f()",
    "a field": "class A:\n    _x: int\ndef f(a): return a._x",
    "the language's": "type(error).__name__",
    "a named tuple's": "row._fields",
    "the future": "from __future__ import annotations",
}  # fmt: skip


@pytest.mark.parametrize(("text", "name"), FOUND.values(), ids=FOUND)
def test_a_private_name_is_found(text: str, name: str) -> None:
    assert [use.name for use in uses("x.py", text)] == [name]


@pytest.mark.parametrize("text", ALLOWED.values(), ids=ALLOWED)
def test_other_names_are_left_alone(text: str) -> None:
    assert list(uses("x.py", text)) == []
