"""Tokens that authorize nothing: one answer to them all, and the reason on record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from tests.features.tokens.bad_claims import CLAIMS, traits
from tests.features.tokens.bad_headers import ALGORITHMS, HEADERS, Forgery
from tests.features.tokens.bad_spellings import SPELLINGS
from tests.features.tokens.conftest import KNOWN_AS, Target
from tests.support.cases import crossed, some_of_each

ANSWER = {
    "type": "about:blank",
    "title": "Unauthorized",
    "status": 401,
    "detail": "Could not validate credentials",
    "code": "invalid_token",
    "request_id": "bad-token",
}


def each(names: Iterable[str]) -> pytest.MarkDecorator:
    """Forgeries by name, shared out among the services that know the secret in different ways.

    tests/unit/core/tokens takes every forgery on every run, without a service around it.
    """
    cases = crossed(KNOWN_AS, names)
    return pytest.mark.parametrize(("target", "name"), cases, indirect=["target"])


def refuse(target: Target, forgeries: Mapping[str, Forgery], name: str) -> None:
    """The contract's answer to a bad token, and its one row."""
    forge, reason = forgeries[name]
    before = len(target.service.audit())
    answer = target.service.request(
        "GET",
        f"/users/{target.user_id}",
        headers={
            b"Authorization": f"Bearer {forge(target.good)}".encode(),
            b"X-Request-ID": b"bad-token",
        },
    )
    assert (answer.status_code, answer.json()) == (401, ANSWER)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers.get_list("www-authenticate") == ['Bearer error="invalid_token"']
    (row,) = target.service.audit()[before:]
    assert (row["event_type"], row["success"], row["reason"]) == ("token_rejected", 0, reason)
    assert row["details"] == f"Access token rejected: {reason}"
    assert row["request_id"] == "bad-token"


def test_the_genuine_token_opens_the_door(target: Target) -> None:
    """C1 C2: the token that all others here are made from is good, and made as ours are."""
    path = f"/users/{target.user_id}"
    assert target.service.get(path, target.good.text).status_code == 200
    assert target.service.get(path, target.good.with_claims()).status_code == 200


@each(ALGORITHMS)
def test_another_algorithm_is_refused(target: Target, name: str) -> None:
    """C1: HS256 is pinned; what the header says chooses nothing."""
    refuse(target, ALGORITHMS, name)


@each(HEADERS)
def test_another_header_is_refused(target: Target, name: str) -> None:
    """C1 C3: no key, no extension and no other kind of token by way of the header."""
    refuse(target, HEADERS, name)


@each(SPELLINGS)
def test_another_spelling_is_refused(target: Target, name: str) -> None:
    """C1 C2: a token has one text; nobody makes a second one of it."""
    refuse(target, SPELLINGS, name)


@each(some_of_each(CLAIMS, traits))
def test_other_claims_are_refused(target: Target, name: str) -> None:
    """C2 C3: every claim is demanded, of its type, for now and for here."""
    refuse(target, CLAIMS, name)
