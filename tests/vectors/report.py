"""Writes docs/vectors.md: `python -m tests.vectors.report`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.relying_party import cose_key as cose
from tests.vectors.signatures import FILES, Signature, signatures, verifies
from tests.vectors.source import SOURCES
from tests.vectors.verdicts import ACCEPTED, LOOSER, POLICY, REFUSED, WHY, WRONG, Verdict, verdicts

TARGET = Path(__file__).resolve().parents[2] / "docs" / "vectors.md"
KINDS = (ACCEPTED, REFUSED, POLICY, WRONG)
PAGE = Path(__file__).with_name("page.md").read_text(encoding="utf-8")


def report() -> str:
    """The whole page."""
    found = verdicts()
    figures = [*_ceremony_figures(found), *_signature_figures()]
    columns = ("vector", "audit row", "then", "else")
    return PAGE.format(
        figures=_table(("source", "vectors", *KINDS), figures),
        rules=_table(("reason", "why"), ((f"`{word}`", why) for word, why in WHY.items())),
        looser=_table(("vector", "why"), ((f"`{name}`", why) for name, why in LOOSER.items())),
        policy=_table(columns, map(_refusal, _of(POLICY, found))),
        accepted=_table(("vector", "under"), map(_acceptance, _of(ACCEPTED, found))),
        refused=_table(columns[:3], (_refusal(each)[:3] for each in _of(REFUSED, found))),
    )


def _of(kind: str, found: Iterable[Verdict]) -> Iterator[Verdict]:
    return (each for each in found if each.kind == kind)


def _ceremony_figures(found: Iterable[Verdict]) -> Iterator[tuple[str, ...]]:
    counts = Counter((each.vector.source, each.kind) for each in found)
    for source in SOURCES:
        figures = [counts[source, kind] for kind in KINDS]
        yield source, str(sum(figures)), *map(str, figures)


def _signature_figures() -> Iterator[tuple[str, ...]]:
    counts = Counter((each.source, _kind_of_signature(each)) for each in signatures())
    for source in FILES:
        figures = [counts[source, kind] for kind in KINDS]
        yield source, str(sum(figures)), *map(str, figures)


def _kind_of_signature(signature: Signature) -> str:
    try:
        verified = verifies(signature)
    except cose.BadKey:
        return POLICY
    if verified:
        return WRONG if signature.result == "invalid" else ACCEPTED
    return WRONG if signature.result == "valid" else REFUSED


def _refusal(each: Verdict) -> tuple[str, ...]:
    reasons = ", ".join(f"`{reason}`" for reason in each.reasons)
    otherwise = "passes" if each.passes_otherwise else "no"
    return f"`{each.vector.name}`", f"`{each.outcome.reason}`", reasons, otherwise


def _acceptance(each: Verdict) -> tuple[str, ...]:
    under = f"`{each.vector.attestation}`" if each.vector.is_registration else "login"
    return f"`{each.vector.name}`", under


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    TARGET.write_text(report(), encoding="utf-8")
