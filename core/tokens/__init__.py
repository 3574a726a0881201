"""Access tokens: issue and verify them, and the secrets they are signed with."""

from core.tokens.access_tokens import (
    LEEWAY_SECONDS,
    MAX_LENGTH,
    TEXT_CLAIMS,
    TIME_CLAIMS,
    BadToken,
    Subject,
    Tokens,
)

__all__ = [
    "LEEWAY_SECONDS",
    "MAX_LENGTH",
    "TEXT_CLAIMS",
    "TIME_CLAIMS",
    "BadToken",
    "Subject",
    "Tokens",
]
