"""Reads JSON strictly. This is a security control, and slower than Python's own reader.

Two readers of one text must not understand it differently, and no text may cost more than its
length. So RFC 8259's open points are closed: UTF-8 without a byte order mark, no member twice, no
NaN or Infinity, no lone surrogates, no NUL, integers of bounded length, nesting of bounded depth.
Python's reader accepts what is excluded here.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

MAX_DEPTH = 16
WHITESPACE = " \t\n\r"
MAX_DIGITS = 19  # the length of the greatest int64, which no number of this service exceeds


class StrictJSONError(json.JSONDecodeError):
    """The text is not strict JSON. The message never quotes the text."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "", 0)


def loads(raw: bytes) -> Any:
    """The value that `raw` holds. Raises StrictJSONError for anything that is not strict JSON."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise StrictJSONError("The body is not UTF-8") from None
    try:
        value, end = _DECODER.raw_decode(text := text.strip(WHITESPACE))
    except StrictJSONError:
        raise
    except RecursionError:
        raise StrictJSONError("The body is nested too deeply") from None
    except ValueError:
        raise StrictJSONError("The body is not JSON") from None
    if end != len(text):
        raise StrictJSONError("The body is not JSON")
    # A text with few brackets cannot be nested deeply, and needs no walk.
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise StrictJSONError("The body is nested too deeply")
    # Only an escape can give a surrogate or a NUL: raw ones are refused as UTF-8 or as JSON.
    if b"\\u" in raw:
        _check_text(value)
    return value


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level and depth <= MAX_DEPTH:
        level = [child for node in level for child in _children(node)]
        depth += 1
    return depth


def _check_text(value: Any) -> None:
    nodes = [value]
    while nodes:
        node = nodes.pop()
        if isinstance(node, str):
            _check_string(node)
        else:
            nodes += _children(node)
            nodes += node if isinstance(node, dict) else ()


def _check_string(text: str) -> None:
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise StrictJSONError("The body has a character that is not text")


def _children(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise StrictJSONError("The body has a member twice")
    return members


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise StrictJSONError("The body has a number that is too long")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise StrictJSONError("The body has a number that is too large")
    return number


def _no_constant(_name: str) -> NoReturn:
    raise StrictJSONError("The body has a number that is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=_no_constant,
)
