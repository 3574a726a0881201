"""Tokens that authorize nothing: the same answer to all, and the reason in the audit row."""

from __future__ import annotations

import pytest

from tests.tokens.bad_claims import CLAIMS
from tests.tokens.bad_headers import ALGORITHMS, HEADERS, Forge
from tests.tokens.bad_spellings import SPELLINGS
from tests.tokens.conftest import Target

ANSWER = {
    "type": "about:blank",
    "title": "Unauthorized",
    "status": 401,
    "detail": "Could not validate credentials",
    "code": "invalid_token",
    "request_id": "bad-token",
}


def refuse(target: Target, forge: Forge, reason: str) -> None:
    """Send the forged token; check the contract's answer and the one audit row."""
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


def test_the_genuine_token_is_accepted(target: Target) -> None:
    """C1 C2: the token from which all forgeries here are made is valid, and so is a signed copy."""
    path = f"/users/{target.user_id}"
    assert target.service.get(path, target.good.text).status_code == 200
    assert target.service.get(path, target.good.with_claims()).status_code == 200


@pytest.mark.parametrize(("forge", "reason"), ALGORITHMS.values(), ids=ALGORITHMS)
def test_another_algorithm_is_refused(target: Target, forge: Forge, reason: str) -> None:
    """C1: HS256 is pinned. The header cannot choose another algorithm."""
    refuse(target, forge, reason)


@pytest.mark.parametrize(("forge", "reason"), HEADERS.values(), ids=HEADERS)
def test_another_header_is_refused(target: Target, forge: Forge, reason: str) -> None:
    """C1 C3: a header cannot bring a key, an extension or another kind of token."""
    refuse(target, forge, reason)


@pytest.mark.parametrize(("forge", "reason"), SPELLINGS.values(), ids=SPELLINGS)
def test_another_spelling_is_refused(target: Target, forge: Forge, reason: str) -> None:
    """C1 C2: a token has exactly one accepted text."""
    refuse(target, forge, reason)


@pytest.mark.parametrize(("forge", "reason"), CLAIMS.values(), ids=CLAIMS)
def test_other_claims_are_refused(target: Target, forge: Forge, reason: str) -> None:
    """C2 C3: every claim is required, with its type, for this time and this service."""
    refuse(target, forge, reason)
