"""The fast path for access tokens: a second, quicker reader beside PyJWT, for HS256 only.

It accepts nothing that PyJWT refuses: tests/features/tokens/test_fast_path.py and
tests/fuzz/test_token_mutations.py compare the two. Its price and when to revisit it:
docs/decisions/0030-token-fast-path.md.
"""

from __future__ import annotations

import hmac
from typing import Any

from core import strict_json
from core.encoding import base64url_decode, base64url_encode

ALGORITHM = "HS256"


class FastPath:
    """Reads tokens whose header is spelled as `header`, signed with `key`."""

    def __init__(self, header: str, key: bytes) -> None:
        self._header, self._key = header, key

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims, unchecked, of a token with this header and a valid signature; None if not.

        With None the caller asks PyJWT, whose error names the fault.
        """
        message, _, signature = token.rpartition(".")
        header, _, payload = message.partition(".")
        if header != self._header:
            return None
        try:
            expected = base64url_encode(hmac.digest(self._key, message.encode("ascii"), "sha256"))
            # As text, so that no other spelling of the same signature passes.
            if not hmac.compare_digest(signature.encode("ascii"), expected.encode("ascii")):
                return None
            claims = strict_json.loads(base64url_decode(payload))
        except ValueError:
            return None
        return claims if isinstance(claims, dict) else None
