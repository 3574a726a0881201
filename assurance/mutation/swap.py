"""Puts a mutant in the place of the file, in this process only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from assurance.mutation.mutants import Mutant


def module_name(file: str) -> str:
    """`core.cose` for `core/cose.py`."""
    return file.removesuffix(".py").replace("/", ".")


def exchange_code(mutant: Mutant) -> None:
    """Give the functions of the imported module the mutant's code, wherever they are held."""
    module = sys.modules[module_name(mutant.file)]
    assert module.__file__ is not None
    changed = dict(_codes(compile(mutant.source, module.__file__, "exec", dont_inherit=True)))
    for function in _functions(module, vars(module)):
        code = changed.get(function.__qualname__)
        if code is not None and code != function.__code__:
            function.__code__ = code


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant.co_qualname, constant
            yield from _codes(constant)


def _functions(module: ModuleType, members: dict[str, Any]) -> Iterator[FunctionType]:
    for member in list(members.values()):
        inner = member.fget if isinstance(member, property) else member
        inner = getattr(inner, "__func__", inner)
        if isinstance(inner, type) and inner.__module__ == module.__name__:
            yield from _functions(module, dict(vars(inner)))
        elif isinstance(inner, FunctionType) and inner.__module__ == module.__name__:
            yield inner


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.get_filename(fullname), "exec", dont_inherit=True)


class InsteadOf(MetaPathFinder):
    """Finds the mutant when its module is imported."""

    def __init__(self, root: Path, mutant: Mutant) -> None:
        self._name, self._path = module_name(mutant.file), str(root / mutant.file)
        self._source = mutant.source

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        """This module's, and nobody else's."""
        if fullname != self._name:
            return None
        loader = _Loader(fullname, self._path, self._source)
        return spec_from_file_location(fullname, self._path, loader=loader)
