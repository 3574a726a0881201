"""All the mutants of a file that mutmut's operators can make."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import Mutation, MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode


@dataclass(frozen=True)
class Mutant:
    """One file with one change in it."""

    file: str
    number: int
    line: int
    source: str
    change: str
    # Inside a function body: its code can be exchanged in a process that has imported it.
    in_function: bool

    @property
    def name(self) -> str:
        """The same in every run, as long as the file stays as it is."""
        return f"{self.file}:{self.line}#{self.number}"


class _Visitor(MutationVisitor):
    """mutmut's, which also looks into properties: no trampoline has to fit around them here."""

    def _skip_node_and_children(self, node: libcst.CSTNode) -> bool:
        if isinstance(node, libcst.FunctionDef):
            return False
        # A type by another name; annotations are left out, too.
        if isinstance(node, libcst.Assign) and _is_type(node.value):
            return True
        return super()._skip_node_and_children(node)


def _is_type(value: libcst.BaseExpression) -> bool:
    return (
        isinstance(value, libcst.Subscript)
        and isinstance(value.value, libcst.Name)
        and value.value.value == "Literal"
    )


def unchanged(root: Path, file: str) -> Iterator[Mutant]:
    """The file as it is, as a mutant of either kind. Both must survive, or no verdict counts."""
    text = (root / file).read_text(encoding="utf-8")
    yield Mutant(file, -1, 0, text, "", in_function=False)
    yield Mutant(file, -2, 0, text, "", in_function=True)


def mutants_of(root: Path, file: str) -> Iterator[Mutant]:
    """Every mutant of `file`, in the order of the text."""
    text = (root / file).read_text(encoding="utf-8")
    wrapper = MetadataWrapper(libcst.parse_module(text))
    visitor = _Visitor(mutation_operators, IgnoredCode(set(), set(), set()))
    wrapper.visit(visitor)
    positions = wrapper.resolve(PositionProvider)
    spans = wrapper.resolve(ByteSpanPositionProvider)
    encoded = text.encode()
    bodies = _function_bodies(wrapper.module)
    for number, mutation in enumerate(visitor.mutations):
        node = mutation.original_node
        span = spans.get(node)
        between = (span.start, span.start + span.length) if span else None
        source = _applied(wrapper.module, encoded, mutation, between)
        position = positions.get(node)
        # An operator has no place of its own; the line that changed has.
        line = position.start.line if position else _first_difference(text, source)
        yield Mutant(file, number, line, source, _change(text, source), id(node) in bodies)


def _applied(
    module: libcst.Module, text: bytes, mutation: Mutation, between: tuple[int, int] | None
) -> str:
    """The text with the change in it, spliced where that can be done: it is a lot faster."""
    if between:
        start, end = between
        if text[start:end].decode() == module.code_for_node(mutation.original_node):
            new = module.code_for_node(mutation.mutated_node)
            spliced: str = (text[:start] + new.encode() + text[end:]).decode()
            return spliced
    changed = module.deep_replace(mutation.original_node, mutation.mutated_node)
    assert isinstance(changed, libcst.Module)
    code: str = changed.code
    return code


def _function_bodies(module: libcst.Module) -> set[int]:
    """The nodes inside function bodies; defaults and decorators run when the file is imported."""
    found: set[int] = set()

    def walk(node: libcst.CSTNode, inside: bool) -> None:
        if inside:
            found.add(id(node))
        for child in node.children:
            body = isinstance(node, libcst.FunctionDef) and child is node.body
            walk(child, inside or body)

    walk(module, False)
    return found


def _first_difference(before: str, after: str) -> int:
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    return next((line for line, (old, new) in enumerate(pairs, 1) if old != new), 0)


def _change(before: str, after: str) -> str:
    """The changed lines, old ones with a minus and new ones with a plus."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    body = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
    return "\n".join(line[0] + " " + line[1:].strip() for line in body)
