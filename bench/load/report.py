"""The figures as one table, and as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.load.measure import Cell, Figures

HEADINGS = (
    *("system", "operation", "conns", "ops/s", "p50", "p95", "p99", "errors"),
    *("server CPU", "client CPU", "commits", "db bytes", "log bytes"),
)
MEBI = 1 << 20


def rows(all_figures: Sequence[Figures]) -> Iterator[tuple[str, ...]]:
    yield HEADINGS
    for figures in all_figures:
        for cell in figures.cells:
            yield (figures.name, *_row(cell))


def _row(cell: Cell) -> tuple[str, ...]:
    disk = (_or_dash(cell.commits, ".2f"), *(_or_dash(b, ".0f") for b in _bytes(cell)))
    return (
        cell.kind,
        str(cell.connections),
        f"{cell.per_second:.0f}",
        *(f"{value:.1f}" for value in (cell.p50, cell.p95, cell.p99)),
        str(cell.errors),
        f"{cell.server_cpu:.3f}",
        f"{cell.client_cpu:.3f}",
        *disk,
    )


def _bytes(cell: Cell) -> tuple[float | None, float | None]:
    return cell.database_bytes, cell.log_bytes


def _or_dash(value: float | None, how: str) -> str:
    return "-" if value is None else format(value, how)


def table(lines: Sequence[tuple[str, ...]]) -> str:
    """Columns as wide as their widest; text to the left in the first two, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def text(all_figures: Sequence[Figures]) -> str:
    """The table, and what stands in no column."""
    notes = [f"{figures.name}: {'; '.join(_notes(figures))}" for figures in all_figures]
    units = "p50 to p99 and CPU in ms; CPU, commits and bytes for each operation"
    return "\n".join((table(list(rows(all_figures))), "", units, *notes))


def _notes(figures: Figures) -> Iterator[str]:
    yield (
        f"memory peak {figures.memory_peak / MEBI:.0f} MiB, "
        f"growth from first to last quarter {figures.memory_growth / MEBI:+.1f} MiB"
    )
    if figures.syncs_per_commit is not None:
        yield (
            f"{figures.syncs_per_commit:.2f} syncs a commit and "
            f"{figures.syncs_per_login:.2f} a login at 16 connections ({figures.syncs_how})"
        )
    yield figures.cores
    for reason, count in figures.errors.items():
        yield f"{count} x {reason}"


def write_json(file: Path, all_figures: Sequence[Figures]) -> None:
    machine = {
        "at": datetime.now(UTC).isoformat(),
        "python": platform.python_version(),
        "machine": platform.platform(),
        "cores": os.cpu_count(),
    }
    systems = [figures.as_json() for figures in all_figures]
    file.write_text(json.dumps({"machine": machine, "systems": systems}, indent=2) + "\n", "utf-8")
