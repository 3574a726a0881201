"""Claims that are missing, of the wrong type, or of another time, service or kind of token."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

from core.tokens.access_tokens import TEXT_CLAIMS, TIME_CLAIMS
from tests.features.tokens.bad_headers import Forge, Forgery
from tests.features.tokens.forge import Genuine

REQUIRED = (*TEXT_CLAIMS, *TIME_CLAIMS, "amr")
NOT_TEXT: dict[str, Any] = {
    "null": None,
    "empty": "",
    "a list": ["x"],
    "an object": {"x": 1},
    "a number": 7,
    "a fraction": 1.5,
    "true": True,
    "huge": 10**300,
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "1e300": 1e300,
}
NOT_A_TIME: dict[str, Any] = {
    "null": None,
    "empty": "",
    "text": "1700000000",
    "a list": [1700000000],
    "an object": {},
    "true": True,
    "a fraction": 1700000000.5,
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "minus Infinity": float("-inf"),
    "1e300": 1e300,
}
NOT_AMR: dict[str, Any] = {
    "null": None,
    "empty": [],
    "text": "pop",
    "a number": 1,
    "true": True,
    "an object": {"pop": "user"},
    "a list of numbers": [1, 2],
    "nested": [["pop", "user"]],
    "NaN": float("nan"),
}
# PyJWT checks the types of these itself, and has an error class for each.
NAMED = {"sub": "InvalidSubject", "jti": "InvalidJTI", "iss": "InvalidIssuer"}
WRONG_FOR = {"iss": "InvalidIssuer", "aud": "InvalidAudience"}


def changed(name: str, value: Any) -> Forge:
    return lambda good: good.with_claims(**{name: value})


def moved(**changes: Callable[[dict[str, Any]], Any]) -> Forge:
    """Claims computed from the genuine ones."""
    return lambda good: good.with_claims(
        **{name: change(good.claims) for name, change in changes.items()}
    )


def missing(name: str) -> Forge:
    return lambda good: good.without(name)


def missing_claims() -> Iterator[tuple[str, Forgery]]:
    for name in REQUIRED:
        yield f"{name} missing", (missing(name), "MissingRequiredClaim")


def mistyped_claims() -> Iterator[tuple[str, Forgery]]:
    kinds = dict.fromkeys(TEXT_CLAIMS, NOT_TEXT) | dict.fromkeys(TIME_CLAIMS, NOT_A_TIME)
    for name, values in {**kinds, "amr": NOT_AMR}.items():
        for what, value in values.items():
            yield f"{name} {what}", (changed(name, value), _reason(name, value))


def _reason(name: str, value: Any) -> str:
    # PyJWT treats an empty audience as a missing one.
    if value is None or (name == "aud" and not value):
        return "MissingRequiredClaim"
    if name in WRONG_FOR:
        return WRONG_FOR[name]
    if name in NAMED and not isinstance(value, str):
        return NAMED[name]
    return "claim_type"


def in_the_past(good: Genuine) -> str:
    now = good.claims["iat"]
    return good.with_claims(iat=now - 7200, exp=now - 3600, auth_time=now - 7200)


TIMES: dict[str, Forgery] = {
    "exp now": (moved(exp=lambda c: c["iat"]), "expired"),
    "exp a second ago": (moved(exp=lambda c: c["iat"] - 1), "expired"),
    "exp zero": (changed("exp", 0), "expired"),
    "exp negative": (changed("exp", -(10**18)), "expired"),
    "expired an hour ago": (in_the_past, "expired"),
    "a life of a second too much": (moved(exp=lambda c: c["exp"] + 1), "lifetime"),
    "a life of ten years": (moved(exp=lambda c: c["exp"] + 315_360_000), "lifetime"),
    "exp huge": (changed("exp", 10**300), "lifetime"),
    "iat zero": (changed("iat", 0), "lifetime"),
    "iat negative": (changed("iat", -1), "lifetime"),
    "iat huge": (changed("iat", 10**300), "issued_in_the_future"),
    "iat 6 seconds ahead": (
        moved(iat=lambda c: c["iat"] + 6, exp=lambda c: c["exp"] + 6),
        "issued_in_the_future",
    ),
    "iat an hour ahead": (
        moved(iat=lambda c: c["iat"] + 3600, exp=lambda c: c["exp"] + 3600),
        "issued_in_the_future",
    ),
    "auth_time ahead": (moved(auth_time=lambda c: c["iat"] + 1), "issued_in_the_future"),
    "auth_time huge": (changed("auth_time", 10**300), "issued_in_the_future"),
    "nbf ahead": (moved(nbf=lambda c: c["iat"] + 600), "unexpected_claim"),
    "nbf past": (changed("nbf", 0), "unexpected_claim"),
    "nbf null": (changed("nbf", None), "unexpected_claim"),
}
OTHERS: dict[str, Forgery] = {
    "iss of another service": (changed("iss", "https://evil.example"), "InvalidIssuer"),
    "iss with a slash": (moved(iss=lambda c: c["iss"] + "/"), "InvalidIssuer"),
    "iss in upper case": (moved(iss=lambda c: c["iss"].upper()), "InvalidIssuer"),
    "iss that begins so": (moved(iss=lambda c: c["iss"] + ".evil.example"), "InvalidIssuer"),
    "iss a part of it": (moved(iss=lambda c: c["iss"][:4]), "InvalidIssuer"),
    "iss a list with it": (moved(iss=lambda c: [c["iss"]]), "InvalidIssuer"),
    "aud of another service": (changed("aud", "billing"), "InvalidAudience"),
    "aud a list with it": (moved(aud=lambda c: [c["aud"]]), "claim_type"),
    "aud a list with it and others": (moved(aud=lambda c: ["billing", c["aud"]]), "claim_type"),
    "aud a list without it": (changed("aud", ["billing"]), "InvalidAudience"),
    "aud an empty list": (changed("aud", []), "MissingRequiredClaim"),
    "aud a part of it": (moved(aud=lambda c: c["aud"][:4]), "InvalidAudience"),
    "sub of nobody": (changed("sub", "3f0c3c9e-6a2e-4c3e-9d84-0a4c4dcbb3f2"), "unknown_user"),
    "sub a name": (changed("sub", "admin"), "unknown_user"),
    "sub the email": (moved(sub=lambda c: c["email"]), "unknown_user"),
    "sub in upper case": (moved(sub=lambda c: c["sub"].upper()), "unknown_user"),
    "sub with white space": (moved(sub=lambda c: f" {c['sub']}"), "unknown_user"),
    "sub an SQL string": (changed("sub", "' OR 1=1 --"), "unknown_user"),
    "sub a lone surrogate": (changed("sub", "\ud800"), "malformed"),
}
CLAIMS: dict[str, Forgery] = {
    **dict(missing_claims()),
    **dict(mistyped_claims()),
    **TIMES,
    **OTHERS,
}


def traits(name: str) -> Iterator[Hashable]:
    """What a case of CLAIMS stands for: see `cases.some_of_each`.

    Claims of one type are checked in one loop. So each wrong value is tried on one claim of each
    type, and each claim with one wrong value for each reason.
    """
    claim, _, what = name.partition(" ")
    if name in TIMES or name in OTHERS:
        yield name
        return
    yield claim, CLAIMS[name][1]
    if what != "missing":
        yield "time" if claim in TIME_CLAIMS else "text" if claim in TEXT_CLAIMS else claim, what
