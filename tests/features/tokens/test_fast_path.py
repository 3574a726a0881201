"""The fast path beside PyJWT, over every forgery there is: it never accepts what PyJWT refuses."""

from __future__ import annotations

import json

import pytest

from core.settings import Settings
from core.tokens.access_tokens import Tokens
from tests.features.tokens.bad_claims import CLAIMS
from tests.features.tokens.bad_headers import ALGORITHMS, HEADERS, Forge
from tests.features.tokens.bad_spellings import SPELLINGS
from tests.features.tokens.forge import token
from tests.features.tokens.readers import JANE, Readers, verdict
from tests.features.tokens.test_wycheproof import VECTORS
from tests.support.clock import HeldClock

FORGERIES = ALGORITHMS | HEADERS | SPELLINGS | CLAIMS


@pytest.fixture(scope="module")
def readers() -> Readers:
    return Readers.make()


def test_the_fast_path_reads_what_the_service_issues(readers: Readers) -> None:
    assert readers.agree_on(readers.good.text)
    assert verdict(readers.with_fast_path, readers.good.text) == (True, JANE.id)
    assert verdict(readers.without, readers.good.text) == (True, JANE.id)


@pytest.mark.parametrize("forge", [forge for forge, _ in FORGERIES.values()], ids=FORGERIES)
def test_both_readers_agree_on_a_forgery(readers: Readers, forge: Forge) -> None:
    """C1, C2, C3."""
    readers.agree_on(forge(readers.good))


@pytest.mark.parametrize(
    "text", [test["jws"] for _, test in VECTORS], ids=[test["tcId"] for _, test in VECTORS]
)
def test_both_readers_agree_on_a_vector_of_wycheproof(readers: Readers, text: str) -> None:
    """C1: signed with other keys, so that neither takes one."""
    assert not readers.agree_on(text)


def test_the_fast_path_leaves_another_header_to_pyjwt(readers: Readers) -> None:
    """Also the same header in another spelling, which PyJWT accepts."""
    assert not readers.agree_on(readers.good.in_other_words())
    assert verdict(readers.with_fast_path, readers.good.in_other_words()) == (True, JANE.id)


@pytest.mark.parametrize("claims", [[], ["sub"], "sub", 7, None, {}])
def test_the_fast_path_reads_no_claims_that_are_not_an_object(
    readers: Readers, claims: object
) -> None:
    """C2: signed as it should be, all the same."""
    signed = token(readers.good.header, json.dumps(claims).encode())
    assert readers.agree_on(signed) is (claims == {})
    assert not verdict(readers.with_fast_path, signed)[0]


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_other_algorithms_have_no_fast_path(algorithm: str) -> None:
    secret = "a-secret-of-sixty-four-bytes-for-the-longest-hash-there-is-1234567"
    tokens = Tokens(
        Settings.model_validate({"jwt_secret": secret, "jwt_algorithm": algorithm}), HeldClock()
    )
    assert tokens._fast_path is None
    assert verdict(tokens, tokens.issue(JANE)) == (True, JANE.id)
