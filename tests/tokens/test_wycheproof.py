"""Project Wycheproof's vectors for JWS with HS256, given to the call that verifies our tokens.

The vectors sign texts, not claims. So that a good signature shows, the claims are taken to be an
empty object once the JWS layer has passed: a valid vector then fails for what its claims lack, and
for nothing else; an invalid one never gets that far.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jwt
import pytest

from core.config import Settings
from core.tokens import BadToken, Tokens
from core.tokens.keys import HmacKeys
from tests.support.clock import HeldClock
from tests.tokens.forge import unb64

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "wycheproof"
FILE = FOLDER / "json_web_signature_hs256_test.json"
PASSED = "MissingRequiredClaim"
REFUSED = {"InvalidSignature", "InvalidAlgorithm", "Decode"}

# Where this service differs from the label, and why.
DIFFERENT = {
    367: (True, "the padding it is named after is not in the vector: it is vector 357"),
    370: (True, "the padding it is named after is not in the vector: it is vector 357"),
    372: (False, "junk inside the header: RFC 7515 allows base64url and nothing else"),
    373: (False, "junk inside the payload: RFC 7515 allows base64url and nothing else"),
}


GROUPS = json.loads(FILE.read_text("utf-8"))["testGroups"]
VECTORS = [(unb64(group["private"]["k"]), test) for group in GROUPS for test in group["tests"]]
each_vector = pytest.mark.parametrize(
    ("key", "test"), VECTORS, ids=[f"{test['tcId']} {test['comment']}" for _, test in VECTORS]
)


@pytest.fixture
def jws_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any signed payload counts as `{}`. PyJWT decodes it only after it verified the signature."""
    monkeypatch.setattr(jwt.PyJWT, "_decode_payload", lambda *_: {})


def verdict(key: bytes, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The reason why the token was refused. Every vector is refused."""
    tokens = Tokens(Settings(), HeldClock())
    monkeypatch.setattr(tokens, "_keys", HmacKeys("HS256", key, (key,)))
    with pytest.raises(BadToken) as refusal:
        tokens.verify(text)
    return refusal.value.reason


@each_vector
def test_a_vector_passes_or_fails_as_it_should(
    key: bytes, test: dict[str, Any], jws_alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C1: valid signatures verify, and no invalid one does."""
    valid, _ = DIFFERENT.get(test["tcId"], (test["result"] == "valid", ""))
    reason = verdict(key, test["jws"], monkeypatch)
    assert reason == PASSED if valid else reason in REFUSED


@each_vector
def test_no_vector_is_an_access_token(
    key: bytes, test: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """C3: none of them authorizes anything, whether its signature is valid or not."""
    assert verdict(key, test["jws"], monkeypatch) in REFUSED


def test_the_vectors_are_all_there_and_so_is_their_licence() -> None:
    """C1: with a truncated file the tests would pass without testing."""
    assert len(VECTORS) == json.loads(FILE.read_text("utf-8"))["numberOfTests"] == 40
    assert "Apache License" in (FOLDER / "LICENSE").read_text("utf-8")


def test_the_vectors_said_to_be_mislabelled_are_what_we_say_they_are() -> None:
    """C1: two of them are, letter for letter, a vector labelled valid."""
    texts = {test["tcId"]: test["jws"] for _, test in VECTORS}
    assert texts[357] == texts[367] == texts[370]
    assert all("?" in texts[number] for number in (372, 373))
