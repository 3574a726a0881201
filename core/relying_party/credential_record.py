"""The credential record (WebAuthn L3 §4): what the service stores of a passkey.

A registration creates a record, a login is verified against a part of it, and a login changes two
of its members. Each of the three has a class here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class NewCredentialRecord:
    """The record that a verified registration creates (§7.1 step 27).

    `public_key` is a COSE_Key in canonical form. `user_verified` is the specification's
    `uvInitialized`, `backed_up` is its `backupState`. `aaguid` is a UUID as text. `reserved_flags`
    are the flag bits without a meaning: they are not stored, the audit row names them.
    """

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    aaguid: str
    backup_eligible: bool
    backed_up: bool
    user_verified: bool
    reserved_flags: int = 0


class CredentialRecord(NamedTuple):
    """The part of a stored record that a login is verified against (§7.2)."""

    public_key: bytes
    sign_count: int
    backup_eligible: bool
    user_handle: bytes


class VerifiedLogin(NamedTuple):
    """The new values that a verified login gives to the record (§7.2 step 24).

    `reserved_flags`: the flag bits without a meaning, for the audit row.
    """

    sign_count: int
    backed_up: bool
    reserved_flags: int = 0


def user_handle(user_id: str) -> bytes:
    """Return the user handle of an account: its UUID in ASCII.

    A user handle must not contain personal data (§14.6.1).
    """
    return user_id.encode("ascii")
