"""A passkey of the software authenticator, and its JSON form in a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, cast

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from devtools.authenticator_data import Flags
from devtools.cose import PrivateKey, PublicKey
from devtools.encoding import b64url, from_b64url


@dataclass(kw_only=True)
class SoftPasskey:
    """A public key credential source (WebAuthn L3 §4), its sign count and backup state."""

    rp_id: str
    credential_id: bytes
    private_key: PrivateKey = field(repr=False)
    alg: int
    user_handle: bytes
    user_name: str = ""
    sign_count: int = 0
    backup_eligible: bool = False
    backed_up: bool = False

    @property
    def public_key(self) -> PublicKey:
        """The public key that the registration sends."""
        return self.private_key.public_key()

    @property
    def account(self) -> tuple[str, bytes]:
        """Relying party ID and user handle. An authenticator holds one passkey for each pair."""
        return self.rp_id, self.user_handle

    @property
    def backup_flags(self) -> Flags:
        """The flags BE and BS of this passkey (§6.1.3)."""
        eligible = Flags.BE if self.backup_eligible else Flags(0)
        return eligible | Flags.BS if self.backed_up else eligible

    def to_json(self) -> dict[str, Any]:
        """The members of the JSON object. Danger: one of them is the private key, in clear."""
        key = self.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return {
            "rp_id": self.rp_id,
            "credential_id": b64url(self.credential_id),
            "private_key": b64url(key),
            "alg": self.alg,
            "user_handle": b64url(self.user_handle),
            "user_name": self.user_name,
            "sign_count": self.sign_count,
            "backup_eligible": self.backup_eligible,
            "backed_up": self.backed_up,
        }

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Self:
        """The passkey from the members that `to_json` returned."""
        binary = {
            name: from_b64url(members[name])
            for name in ("credential_id", "private_key", "user_handle")
        }
        key = cast(PrivateKey, load_der_private_key(binary["private_key"], password=None))
        return cls(**{**members, **binary, "private_key": key})
