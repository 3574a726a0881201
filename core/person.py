"""The personal data of a registration form: names and the date of birth.

Each function takes any JSON value, and returns the normalised value or raises InvalidValue.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time
from typing import Any

from core.email_address import IGNORABLE

MAX_NAME = 100
MAX_AGE_YEARS = 130
# Control characters, line and paragraph separators, direction overrides, lone surrogates.
_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"))
# The zero width joiners, which Persian and Indic names are spelled with.
_JOINERS = "\u200c\u200d"
_WITHOUT_JOINERS = dict.fromkeys(map(ord, _JOINERS))
# Direction marks, isolates and embeddings come along when a name is copied from a chat or a list of
# contacts; variation selectors choose a drawing of the same character (Japanese names, emoji).
# Overrides (U+202D, U+202E) change the order of what is read, and are refused.
_DROPPED = re.compile(
    "[\u061c\u200e\u200f\u202a-\u202c\u2066-\u2069"
    "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
# NFC composes at most four characters into one (U+1F82).
_MAX_COMPOSED = 4
_DATE = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(?:Z|[+-]\d{2}:\d{2})?)?"
)


class InvalidValue(ValueError):
    """A value that is refused. `code` is stable for machines; the message is a constant."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def parse_name(value: Any) -> str:
    """A name in NFC without surrounding space, with 1 to 100 visible characters.

    Direction marks and variation selectors are dropped.
    """
    if not isinstance(value, str):
        raise InvalidValue("text", "Must be text")
    # Checked before normalising, which takes quadratic time.
    if len(value) > _MAX_COMPOSED * MAX_NAME:
        raise InvalidValue("too_long", "Must have at most 100 characters")
    text = unicodedata.normalize("NFC", _DROPPED.sub("", value)).strip()
    if not text.translate(_WITHOUT_JOINERS).strip():
        raise InvalidValue("blank", "Must not be blank")
    if len(text) > MAX_NAME:
        raise InvalidValue("too_long", "Must have at most 100 characters")
    if _has_invisible_characters(text):
        raise InvalidValue("characters", "Must not have invisible characters")
    return text


def _has_invisible_characters(text: str) -> bool:
    return IGNORABLE.search(text.translate(_WITHOUT_JOINERS)) is not None or any(
        unicodedata.category(char) in _INVISIBLE and char not in _JOINERS for char in text
    )


def parse_birth_date(value: Any) -> datetime:
    """The date of birth as midnight UTC, from an ISO 8601 date; a time of day is dropped."""
    match = _DATE.fullmatch(value) if isinstance(value, str) and value.isascii() else None
    if match is None:
        raise InvalidValue("date", "Must be a date like 1990-01-15")
    try:
        born = date.fromisoformat(match[1])
        time.fromisoformat(match[2] or "00:00")
    except ValueError:
        raise InvalidValue("date", "Must be a date that exists") from None
    today = datetime.now(UTC).date()
    if born > today:
        raise InvalidValue("date", "Must not be in the future")
    if born.year < today.year - MAX_AGE_YEARS:
        raise InvalidValue("date", "Must not be more than 130 years ago")
    return datetime.combine(born, time(), UTC)
