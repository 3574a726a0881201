"""The comparison as an SVG chart: bars of server CPU for each operation.

It has no script and no style sheet, and its colours are legible on white and on black.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from bench.peers.report import NAMES
from bench.peers.rounds import KINDS, Standing

WIDTH, LEFT, RIGHT = 720, 170, 90
BAR, GAP, HEAD, FOOT = 18, 6, 34, 34
TEXT, THIS_SERVICE, OTHERS = "#737c87", "#2f81f7", "#8c959f"
FONT = 'font-family="system-ui, sans-serif" font-size="13"'


def svg(standings: Sequence[Standing]) -> str:
    """The chart; the first of the standings is this service."""
    bars = "\n".join(
        part for place, kind in enumerate(KINDS) for part in _group(standings, kind, place)
    )
    height = len(KINDS) * _group_height(len(standings)) + FOOT
    note = _text(LEFT, height - 10, "* answers before its commits are on the disk", "start")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" {FONT}>\n'
        f"<title>{escape(_summary(standings))}</title>\n{bars}\n{note}\n</svg>\n"
    )


def _group_height(count: int) -> int:
    return HEAD + count * (BAR + GAP)


def _summary(standings: Sequence[Standing]) -> str:
    figures = ", ".join(f"{each.name} {each.cpu['login']:.2f}" for each in standings)
    return f"Server CPU in milliseconds for a complete login: {figures}"


def _group(standings: Sequence[Standing], kind: str, place: int) -> Iterator[str]:
    top = place * _group_height(len(standings))
    title = f"Server CPU for one {NAMES[kind]}, in ms (shorter is better)"
    yield _text(LEFT, top + 22, title, "start", weight=' font-weight="600"')
    longest = max(each.cpu[kind] for each in standings) or 1.0
    for row, each in enumerate(standings):
        y = top + HEAD + row * (BAR + GAP)
        width = (WIDTH - LEFT - RIGHT) * each.cpu[kind] / longest
        color = OTHERS if row else THIS_SERVICE
        yield _text(LEFT - 8, y + 14, _label(each), "end")
        yield f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{color}"/>'
        yield _text(LEFT + width + 6, y + 14, f"{each.cpu[kind]:.2f}", "start")


def _label(each: Standing) -> str:
    return each.name if each.durable != "no" else f"{each.name} *"


def _text(x: float, y: float, words: str, anchor: str, weight: str = "") -> str:
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {where} fill="{TEXT}"{weight}>{escape(words)}</text>'
