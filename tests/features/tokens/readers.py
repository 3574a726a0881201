"""The two readers of a token, and whether they agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jwt

from core.settings import Settings
from core.tokens.access_tokens import BadToken, Subject, Tokens
from core.tokens.fast_path import FastPath
from tests.features.tokens.forge import KEY, Genuine
from tests.support.clock import HeldClock

JANE = Subject("8e6b0", "jane@example.com", "Jane", "Doe", "user")
NOTHING_BUT_THE_SIGNATURE: Any = {
    f"verify_{name}": False for name in ("exp", "iat", "nbf", "aud", "iss", "sub", "jti")
}


@dataclass(frozen=True)
class Readers:
    """One service's tokens, verified with the fast path and without it."""

    with_fast_path: Tokens
    without: Tokens
    fast_path: FastPath
    good: Genuine

    @classmethod
    def make(cls) -> Readers:
        clock = HeldClock()
        both, plain = Tokens(Settings(), clock), Tokens(Settings(), clock)
        fast_path = both._fast_path
        assert fast_path is not None
        plain._fast_path = None
        return cls(both, plain, fast_path, Genuine(both.issue(JANE)))

    def agree_on(self, token: str) -> bool:
        """Fail unless both come to one verdict; whether the fast path has read the token."""
        assert verdict(self.with_fast_path, token) == verdict(self.without, token)
        claims = self.fast_path.read(token)
        if claims is not None:
            read = jwt.decode_complete(token, KEY, ["HS256"], options=NOTHING_BUT_THE_SIGNATURE)
            assert (read["header"], read["payload"]) == (self.good.header, claims)
        return claims is not None


def verdict(tokens: Tokens, token: str) -> tuple[bool, str]:
    """Whether the token authorizes, with the user id or the reason why not."""
    try:
        return True, tokens.verify(token)
    except BadToken as error:
        return False, error.reason
