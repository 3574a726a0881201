"""A refusal never says back what it was sent: not a value, not a name, at no depth."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.features.http.problems import JSON
from tests.features.http.test_json import VALID
from tests.support.service import Service

MARKER = "zq7Xmarker9k"
PATHS = tuple(VALID)
quiet = settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

marked = st.sampled_from(
    [MARKER, f"{MARKER}@example.com", f"1990-01-15{MARKER}", f"<{MARKER}>", f"../{MARKER}\n"]
)
# A small alphabet: hypothesis takes seconds to read the whole of Unicode the first time.
words = st.text(alphabet='aé0"\\<\n/\u2028', max_size=5)
scalars = st.one_of(marked, st.none(), st.booleans(), st.integers(-5, 5), words)
values = st.recursive(
    st.one_of(marked, scalars),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(marked | words, inner, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """An endpoint, and its valid body with the marker in some members or names."""
    path = draw(st.sampled_from(PATHS))
    body = dict(VALID[path])
    for name in draw(st.lists(st.sampled_from(sorted(body)), max_size=3)):
        body[name] = draw(values)
    if draw(st.booleans()):
        body[draw(marked)] = draw(values)
    return path, body


def assert_silent(service: Service, path: str, body: bytes, kind: str = "application/json") -> None:
    answer = service.request("POST", path, content=body, headers={"Content-Type": kind})
    assert answer.status_code < 500
    # A begun ceremony names the account it is for: that is no refusal.
    if not answer.is_success:
        assert MARKER not in answer.text + str(answer.headers)
        assert MARKER.lower() not in answer.text.lower()


@given(request=spoiled())
@quiet
def test_no_refusal_repeats_a_member(shared: Service, request: tuple[str, dict[str, Any]]) -> None:
    """B2 B3: a marker in any name or value, at any depth, never comes back."""
    path, body = request
    assert_silent(shared, path, json.dumps(body).encode())


@given(path=st.sampled_from(PATHS), body=values)
@quiet
def test_no_refusal_repeats_a_whole_body(shared: Service, path: str, body: object) -> None:
    """B2: a body that is no object either."""
    assert_silent(shared, path, json.dumps(body).encode())


@given(
    path=st.sampled_from(PATHS),
    cut=st.integers(0, 200),
    junk=st.binary(max_size=8),
    kind=st.sampled_from(["application/json", "text/plain", "application/xml", MARKER]),
)
@quiet
def test_no_refusal_repeats_what_is_no_json(
    shared: Service, path: str, cut: int, junk: bytes, kind: str
) -> None:
    """B2: cut off, or with junk inside, or under another content type."""
    whole = json.dumps({**VALID[path], "email": MARKER, MARKER: MARKER}).encode()
    assert_silent(shared, path, whole[:cut] + junk + whole[cut + len(junk) :], kind)


@pytest.mark.parametrize(
    "request_line",
    [
        f"/{MARKER}",
        f"/users/{MARKER}",
        f"/users/{MARKER}/more",
        f"/static/{MARKER}.js",
        f"/nowhere?q={MARKER}",
        f"/docs/{MARKER}",
    ],
)
def test_no_refusal_repeats_the_path(shared: Service, request_line: str) -> None:
    """B8 B10: neither path nor query comes back."""
    for method in ("GET", "POST", MARKER.upper()):
        answer = shared.request(method, request_line, headers={**JSON, "Referer": MARKER})
        assert answer.status_code in (401, 404, 405)
        assert MARKER.lower() not in (answer.text + str(answer.headers)).lower()
