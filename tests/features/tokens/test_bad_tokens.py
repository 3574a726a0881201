"""Tokens that authorize nothing: one answer to them all, and the reason on record."""

from __future__ import annotations

import pytest

from tests.features.tokens.bad_claims import CLAIMS
from tests.features.tokens.bad_headers import ALGORITHMS, HEADERS, Forge
from tests.features.tokens.bad_spellings import SPELLINGS
from tests.features.tokens.conftest import Door

ANSWER = {
    "type": "about:blank",
    "title": "Unauthorized",
    "status": 401,
    "detail": "Could not validate credentials",
    "code": "invalid_token",
    "request_id": "bad-token",
}


def refuse(door: Door, forge: Forge, reason: str) -> None:
    """The contract's answer to a bad token, and its one row."""
    before = len(door.service.audit())
    answer = door.service.request(
        "GET",
        f"/users/{door.user_id}",
        headers={
            b"Authorization": f"Bearer {forge(door.good)}".encode(),
            b"X-Request-ID": b"bad-token",
        },
    )
    assert (answer.status_code, answer.json()) == (401, ANSWER)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers.get_list("www-authenticate") == ['Bearer error="invalid_token"']
    (row,) = door.service.audit()[before:]
    assert (row["event_type"], row["success"], row["reason"]) == ("token_rejected", 0, reason)
    assert row["details"] == f"Access token rejected: {reason}"
    assert row["request_id"] == "bad-token"


def test_the_genuine_token_opens_the_door(door: Door) -> None:
    """C1 C2: the token that all others here are made from is good, and made as ours are."""
    path = f"/users/{door.user_id}"
    assert door.service.get(path, door.good.text).status_code == 200
    assert door.service.get(path, door.good.with_claims()).status_code == 200


@pytest.mark.parametrize(("forge", "reason"), ALGORITHMS.values(), ids=ALGORITHMS)
def test_another_algorithm_is_refused(door: Door, forge: Forge, reason: str) -> None:
    """C1: HS256 is pinned; what the header says chooses nothing."""
    refuse(door, forge, reason)


@pytest.mark.parametrize(("forge", "reason"), HEADERS.values(), ids=HEADERS)
def test_another_header_is_refused(door: Door, forge: Forge, reason: str) -> None:
    """C1 C3: no key, no extension and no other kind of token by way of the header."""
    refuse(door, forge, reason)


@pytest.mark.parametrize(("forge", "reason"), SPELLINGS.values(), ids=SPELLINGS)
def test_another_spelling_is_refused(door: Door, forge: Forge, reason: str) -> None:
    """C1 C2: a token has one text; nobody makes a second one of it."""
    refuse(door, forge, reason)


@pytest.mark.parametrize(("forge", "reason"), CLAIMS.values(), ids=CLAIMS)
def test_other_claims_are_refused(door: Door, forge: Forge, reason: str) -> None:
    """C2 C3: every claim is demanded, of its type, for now and for here."""
    refuse(door, forge, reason)
