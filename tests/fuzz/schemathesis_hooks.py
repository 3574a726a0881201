"""Loaded by Schemathesis: a check of our own, where the schema has no words for a rule.

JSON Schema cannot say "not in the future", "no invisible characters" or "no reserved domain". So a
422 for a body that fits its schema is allowed, if what it says of each member is true.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, Response

OLDEST_YEARS = 130
LONGEST_NAME = 100
DEEPEST = 16
LONGEST_NUMBER = 19
# Drawn as nothing, and no control or format characters by their category: separators, fillers,
# variation selectors, the grapheme joiner.
INVISIBLE = {
    *"\u2028\u2029\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u180b\u180c\u180d\u180f",
    *map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))),
}
# RFC 2606, RFC 6761, RFC 6762, RFC 7686, RFC 8375.
RESERVED = re.compile(
    r"@(.*\.)?(test|invalid|local|localhost|onion|arpa)$", re.IGNORECASE | re.DOTALL
)


def _is_impossible_date(text: str) -> bool:
    today = datetime.now(UTC).date()
    day = date.fromisoformat(text[:10])
    return day > today or today.year - day.year > OLDEST_YEARS


def _has_invisible(text: str) -> bool:
    return any(unicodedata.category(char)[0] == "C" or char in INVISIBLE for char in text)


def _is_no_common_address(text: str) -> bool:
    """Reserved, quoted, a literal, without a dot, or not spelled in one alphabet."""
    return bool(
        RESERVED.search(text)
        or re.search(r'["\[\]\s]|\.\.|\.@|^\.|@[^.]*$', text)
        or not text.isascii()
    )


# What may be wrong with a value that fits its schema, by the code that says so.
REASONS: dict[str, Callable[[str], bool]] = {
    "date": _is_impossible_date,
    "characters": _has_invisible,
    "too_long": lambda text: len(unicodedata.normalize("NFC", text)) > LONGEST_NAME,
    "email": _is_no_common_address,
}


@schemathesis.check
def valid_data_is_refused_with_reason(
    _ctx: CheckContext, response: Response, case: Case[Any]
) -> bool | None:
    """A 422 for a body that fits its schema names a rule that the body really breaks."""
    if case.meta is None or case.meta.generation.mode.is_negative or response.status_code != 422:
        return None
    for error in response.json()["errors"]:
        code, name = error["code"], error["pointer"].removeprefix("/")
        if code == "json_invalid":
            assert any(_strict_json_refuses(case.body, 1)), f"this is strict JSON: {case.body!r}"
        else:
            body: Any = case.body
            value = body[name]
            assert code in REASONS, f"{code} is a rule that the schema could have stated"
            assert REASONS[code](value), f"{name} is refused as {code}: {value!r}"
    return None


def _strict_json_refuses(value: Any, depth: int) -> Iterator[bool]:
    yield depth > DEEPEST
    if isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _strict_json_refuses(child, depth + 1)
    elif isinstance(value, int | float):
        yield isinstance(value, int) and len(str(value)) > LONGEST_NUMBER
        yield len(json.dumps(value).partition(".")[0]) > LONGEST_NUMBER
