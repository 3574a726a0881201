"""The strict JSON reader: what it accepts, what it refuses, and that it quotes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.strict_json import StrictJSONError, loads

DEEPEST = b"[" * 16 + b"]" * 16
WIDEST = json.loads("[" * 15 + "[],[]" + "]" * 15)
SECRET = "s3cret"
GOOD: dict[str, tuple[bytes, Any]] = {
    "an object": (b'{"a": 1, "b": [true, false, null]}', {"a": 1, "b": [True, False, None]}),
    "white space": (b' \t\r\n{ "a" : 1 } \n', {"a": 1}),
    "text": ('"é € 😀"'.encode(), "é € 😀"),
    "an escaped pair": (b'"\\ud83d\\ude00"', "😀"),
    "escapes": (b'"\\u00e9\\n\\"\\/\\\\"', 'é\n"/\\'),
    "an escaped backslash before u": (b'"\\\\u0000"', "\\u0000"),
    "zero": (b"0", 0),
    "19 digits": (b"9" * 19, 10**19 - 1),
    "a negative number": (b"-5", -5),
    "a fraction": (b"1.5e3", 1500.0),
    "a tiny fraction": (b"1e-400", 0.0),
    "16 levels": (DEEPEST, json.loads(DEEPEST)),
    "16 levels and more brackets": (b"[" * 15 + b"[],[]" + b"]" * 15, WIDEST),
    "many brackets side by side": (b"[" + b"[]," * 50 + b"[]]", [[]] * 51),
    "one name in two objects": (b'[{"a":1},{"a":2}]', [{"a": 1}, {"a": 2}]),
}
BAD = {
    "nothing": b"",
    "white space alone": b"  ",
    "two values": b"1 2",
    "a comment": b"{} // no",
    "a trailing comma": b"[1,]",
    "single quotes": b"{'a':1}",
    "an unquoted name": b"{a:1}",
    "a leading zero": b"01",
    "a plus sign": b"+1",
    "hexadecimal": b"0x10",
    "NaN": b"NaN",
    "NaN inside": b'{"a":[NaN]}',
    "Infinity": b"Infinity",
    "minus Infinity": b"-Infinity",
    "a number beyond floats": b"1e400",
    "a negative number beyond floats": b"-1e400",
    "20 digits": b"1" * 20,
    "5000 digits": b"1" * 5000,
    "17 levels": b"[" + DEEPEST + b"]",
    "17 levels of objects": b'{"a":' * 17 + b"1" + b"}" * 17,
    "levels without end": b"[" * 100_000,
    "100,000 levels": b"[" * 100_000 + b"]" * 100_000,
    "a member twice": b'{"a":1,"a":1}',
    "a member twice deep inside": b'[{"b":{"a":1,"a":2}}]',
    "a member twice by an escape": b'{"a":1,"\\u0061":2}',
    "a raw NUL": b'"\0"',
    "an escaped NUL": b'"\\u0000"',
    "an escaped NUL in a name": b'{"\\u0000":1}',
    "an escaped NUL before another list": b'[["\\u0000"],["a"]]',
    "an escaped NUL deep inside": b'[{"a":["\\u0000"]}]',
    "a raw control character": b'"\x01"',
    "a lone surrogate": b'"\\ud800"',
    "a low surrogate first": b'"\\ude00\\ud83d"',
    "a lone surrogate in a name": b'{"\\udfff":1}',
    "a surrogate in raw bytes": b'"\xed\xa0\x80"',
    "an overlong encoding": b'"\xc0\x80"',
    "not UTF-8": b'"\xff"',
    "cut off": b'"\xc3',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "UTF-16 without a mark": "{}".encode("utf-16-le"),
    "UTF-32": "{}".encode("utf-32"),
}


@pytest.mark.parametrize(("raw", "value"), GOOD.values(), ids=GOOD)
def test_strict_json_is_read(raw: bytes, value: Any) -> None:
    assert loads(raw) == value


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD)
def test_other_texts_are_refused(raw: bytes) -> None:
    with pytest.raises(StrictJSONError):
        loads(raw)


@pytest.mark.parametrize(
    "raw",
    [
        f'{{"{SECRET}":1,"{SECRET}":2}}'.encode(),
        f'"{SECRET}\\u0000"'.encode(),
        f'"{SECRET}'.encode(),
        SECRET.encode(),
        f'"{SECRET}'.encode() + b"\xff",
    ],
    ids=["twice", "NUL", "cut off", "not JSON", "not UTF-8"],
)
def test_a_refusal_does_not_quote_the_body(raw: bytes) -> None:
    with pytest.raises(StrictJSONError) as caught:
        loads(raw)
    assert SECRET not in f"{caught.value} {caught.value.doc} {vars(caught.value)}"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_frameworks_take_a_refusal_for_a_json_error() -> None:
    # FastAPI answers a JSONDecodeError with 422 by itself, and any other exception with 500.
    assert issubclass(StrictJSONError, json.JSONDecodeError)
