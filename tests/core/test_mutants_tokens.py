"""Tokens without a running service: every forgery, and every boundary of their times."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jwt
import pytest
from pydantic import SecretStr

from core.config import Settings
from core.encoding import base64url_decode
from core.tokens import BadToken, Subject, Tokens
from tests.support.clock import HeldClock
from tests.tokens.bad_claims import CLAIMS
from tests.tokens.bad_headers import ALGORITHMS, HEADERS
from tests.tokens.bad_spellings import SPELLINGS
from tests.tokens.forge import Genuine, b64, mac, token

JANE = Subject("8e6b0", "jane@example.com", "Jane", "Doe", "user")
# Without a database nobody can be unknown.
FORGERIES = {
    name: forgery
    for name, forgery in (ALGORITHMS | HEADERS | CLAIMS | SPELLINGS).items()
    if forgery[1] != "unknown_user"
}


@pytest.fixture(params=[2020, 2100])
def clock(request: pytest.FixtureRequest) -> HeldClock:
    """Another time than the machine's: a test fails if the code asks the machine's clock."""
    return HeldClock(datetime(request.param, 1, 15, 12, 0, 0, 250_000, tzinfo=UTC))


@pytest.fixture
def tokens(clock: HeldClock) -> Tokens:
    return Tokens(Settings(), clock)


@pytest.fixture
def good(tokens: Tokens) -> Genuine:
    return Genuine(tokens.issue(JANE))


def test_a_token_has_exactly_these_claims(good: Genuine, clock: HeldClock) -> None:
    """C2: and exactly this header."""
    claims = good.claims
    assert UUID(claims.pop("jti")).version == 4
    now = int(clock.now().timestamp())
    assert claims == {
        "sub": "8e6b0",
        "email": "jane@example.com",
        "first_name": "Jane",
        "last_name": "Doe",
        "role": "user",
        "iss": "http://localhost:8000",
        "aud": "localhost",
        "iat": now,
        "exp": now + 3600,
        "auth_time": now,
        "amr": ["pop", "user"],
    }
    assert good.header == {"alg": "HS256", "typ": "at+jwt"}


@pytest.mark.parametrize("algorithm", ["HS256", "HS384"])
def test_a_token_names_whom_it_was_issued_to(clock: HeldClock, algorithm: str) -> None:
    tokens = Tokens(Settings(jwt_algorithm=algorithm), clock)
    assert tokens.verify(tokens.issue(JANE)) == "8e6b0"


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused_for_the_true_reason(tokens: Tokens, good: Genuine, name: str) -> None:
    """C1, C2, C3: by `Tokens.verify` alone."""
    forge, reason = FORGERIES[name]
    with pytest.raises(BadToken) as caught:
        tokens.verify(forge(good))
    assert (caught.value.reason, str(caught.value)) == (reason, reason)


def test_a_token_lives_to_the_instant(tokens: Tokens, good: Genuine, clock: HeldClock) -> None:
    """C2: it is expired in the second of `exp` itself."""
    clock.advance(3599.7)
    assert tokens.verify(good.text) == "8e6b0"
    clock.advance(0.05)
    with pytest.raises(BadToken, match=r"^expired$"):
        tokens.verify(good.text)


@pytest.mark.parametrize("ahead", [0, 5])
def test_a_clock_may_be_five_seconds_behind(tokens: Tokens, good: Genuine, ahead: int) -> None:
    claims = good.claims
    moved = good.with_claims(iat=claims["iat"] + ahead, exp=claims["exp"] + ahead)
    assert tokens.verify(moved) == "8e6b0"


def of_length(good: Genuine, length: int) -> str:
    """A valid token of this length, by way of the length of the first name."""
    for spaces in range(4):
        header = json.dumps(good.header).encode() + b" " * spaces
        for filler in range(length // 4, length):
            text = token(header, good.claims | {"first_name": "x" * filler})
            if len(text) == length:
                return text
            if len(text) > length:
                break
    raise AssertionError("no such length")


def test_a_token_has_at_most_8192_characters(tokens: Tokens, good: Genuine) -> None:
    """A longer one is refused before it is decoded."""
    assert tokens.verify(of_length(good, 8192)) == "8e6b0"
    with pytest.raises(BadToken, match=r"^too_long$"):
        tokens.verify(of_length(good, 8193))


def test_two_tokens_are_never_the_same(tokens: Tokens) -> None:
    assert tokens.issue(JANE) != tokens.issue(JANE)


@pytest.mark.parametrize("amr", [["pop"], ["pop", "user"]])
def test_any_list_of_texts_is_accepted_as_methods(tokens: Tokens, good: Genuine, amr: Any) -> None:
    assert tokens.verify(good.with_claims(amr=amr)) == "8e6b0"


@pytest.mark.parametrize("amr", [["pop", 1], [1, "pop"], [[]]])
def test_every_method_is_a_word(tokens: Tokens, good: Genuine, amr: Any) -> None:
    with pytest.raises(BadToken, match=r"^claim_type$"):
        tokens.verify(good.with_claims(amr=amr))


def test_a_payload_that_is_no_base64url_is_malformed(tokens: Tokens, good: Genuine) -> None:
    """C1: PyJWT would ignore the padding."""
    header, payload = good.parts[0], b64(json.dumps(good.claims).encode() + b" ")
    padded = payload + "=" * (-len(payload) % 4 or 4)
    signed = f"{header}.{padded}"
    with pytest.raises(BadToken, match=r"^(malformed|Decode)$"):
        tokens.verify(f"{signed}.{mac(signed)}")


def test_the_fifth_second_ahead_is_within_the_leeway() -> None:
    """Exactly, when the clock stands on a whole second."""
    clock = HeldClock(datetime(2030, 1, 1, tzinfo=UTC))
    tokens = Tokens(Settings(), clock)
    issued = tokens.issue(JANE)
    clock.advance(-5)
    assert tokens.verify(issued) == JANE.id
    clock.advance(-0.001)
    with pytest.raises(BadToken, match=r"^issued_in_the_future$"):
        tokens.verify(issued)


def test_a_token_in_another_spelling_is_accepted(tokens: Tokens, good: Genuine) -> None:
    """C1: white space in the header is JSON, too. PyJWT alone reads such a token."""
    assert tokens._read_fast(good.in_other_words()) is None
    assert tokens.verify(good.in_other_words()) == JANE.id


@pytest.mark.parametrize(
    "name", [name for name, (_, why) in FORGERIES.items() if why != "too_long"]
)
def test_a_forgery_is_never_read_fast(tokens: Tokens, good: Genuine, name: str) -> None:
    """C1 to C3: the fast path accepts nothing that PyJWT and the checks refuse."""
    forge, _ = FORGERIES[name]
    assert tokens._read_fast(good.text) is not None
    assert tokens._read_fast(forge(good)) is None


@pytest.mark.parametrize(
    "other", [{"signature": b"another"}, {"payload": {"role": "admin"}}], ids=["mac", "claims"]
)
def test_a_token_that_pyjwt_reads_differently_is_malformed(
    tokens: Tokens, good: Genuine, other: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """C1, C2, C3: a difference in the claims or in the signature is enough."""
    library = jwt.decode_complete

    def otherwise(*subject: Any, **how: Any) -> Any:
        read = library(*subject, **how)
        payload = read["payload"] | other.get("payload", {})
        return {**read, **other, "payload": payload}

    monkeypatch.setattr(jwt, "decode_complete", otherwise)
    with pytest.raises(BadToken, match=r"^malformed$"):
        tokens.verify(good.in_other_words())


@pytest.mark.parametrize("error", [ValueError, TypeError, OverflowError, RecursionError])
def test_whatever_pyjwt_raises_is_a_bad_token(
    tokens: Tokens, good: Genuine, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """C2: with a reason of our own, and not the text of the exception."""

    def fail(*_: Any, **__: Any) -> Any:
        raise error("what a stranger wrote")

    monkeypatch.setattr(jwt, "decode_complete", fail)
    with pytest.raises(BadToken, match=r"^malformed$"):
        tokens.verify(good.in_other_words())


OLD, NEW = "o1d-" * 12, "n3w+" * 12


def test_a_token_of_the_previous_secret_is_accepted_and_none_is_signed_with_it() -> None:
    """C1: the current secret verifies, then the previous one, and no other."""
    clock = HeldClock()
    before = Tokens(Settings(jwt_secret=SecretStr(OLD + "abcdefgh")), clock)
    now = Tokens(
        Settings(
            jwt_secret=SecretStr(NEW + "abcdefgh"), jwt_secret_previous=SecretStr(OLD + "abcdefgh")
        ),
        clock,
    )
    subject = Subject("1", "jane@x", "Jane", "Doe", "user")
    assert now.verify(before.issue(subject)) == "1"
    assert now.verify(now.issue(subject)) == "1"
    with pytest.raises(BadToken, match=r"^InvalidSignature$"):
        before.verify(now.issue(subject))
    with pytest.raises(BadToken, match=r"^InvalidSignature$"):
        now.verify(Tokens(Settings(), clock).issue(subject))


def test_a_token_holds_no_white_space_before_it_is_encoded() -> None:
    token = Tokens(Settings(), HeldClock()).issue(Subject("1", "j@x", "J", "D", "user"))
    header, claims, _ = token.split(".")
    assert b" " not in base64url_decode(header) + base64url_decode(claims)
