"""The two errors that end a ceremony."""

from __future__ import annotations


class BadCredential(Exception):
    """The credential does not prove what it has to prove.

    `reason` is one word for the audit row. No answer to a client contains it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PossibleClone(BadCredential):
    """The signature is valid, but the sign count did not grow.

    Two authenticators may hold the same private key (WebAuthn L3 §6.1.1).
    """
