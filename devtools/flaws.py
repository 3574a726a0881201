"""What can be wrong with a WebAuthn ceremony: one named field for each flaw.

A test passes `flaw=Flaw(origin="http://evil.example")`, and all else stays correct: hashes and
signatures are computed over the changed bytes, so only the named part is wrong. Three fields change
the answer after signing, and break the signature if they change signed bytes: `signature`,
`response` and `credential`.

A replacement that is raw (bytes, or a JSON member) may also be a function of the correct value:
`Flaw(client_data=lambda honest: b"\\xef\\xbb\\xbf" + honest)`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeVar

from devtools.attestation import AttestationMaker
from devtools.cose import PrivateKey


class Omit(Enum):
    """The type of OMIT, so that type checkers distinguish it from all values."""

    OMIT = "omit"


OMIT: Final = Omit.OMIT

T = TypeVar("T")
RawBytes = bytes | Callable[[bytes], bytes]


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """What is wrong with an answer. A field with its default value changes nothing."""

    # Collected client data (WebAuthn L3 §5.8.1)
    type: str | None = None
    challenge: str | None = None
    challenge_padding: bool = False
    origin: str | None = None
    cross_origin: bool = False
    top_origin: str | None = None
    client_data_members: Mapping[str, object] = field(default_factory=dict)
    client_data: RawBytes | None = None

    # Authenticator data (§6.1)
    rp_id: str | None = None
    up: bool | None = None
    rfu1: bool | None = None
    uv: bool | None = None
    be: bool | None = None
    bs: bool | None = None
    rfu2: bool | None = None
    at: bool | None = None
    ed: bool | None = None
    sign_count: int | None = None
    extensions: object | None = None  # bytes are raw CBOR; sets ED unless `ed` is given
    trailing_authenticator_data: bytes = b""
    authenticator_data: RawBytes | None = None

    # Attested credential data (§6.5.1)
    aaguid: bytes | None = None
    attested_credential_id: bytes | None = None
    attested_credential_id_length: int | None = None
    # Bytes are raw CBOR, other values are encoded, a function gets the correct map.
    cose_key: object | Callable[[dict[int, Any]], object] | None = None

    # Attestation object (§6.5.4)
    attestation: AttestationMaker | None = None
    trailing_attestation_object: bytes = b""
    attestation_object: RawBytes | None = None

    # Assertion (§6.3.3). A user handle of type str is sent unchanged, bytes as base64url.
    user_handle: bytes | str | Omit | None = None
    signing_key: PrivateKey | None = None
    flip_signature_bit: bool = False
    signature: RawBytes | None = None

    # The credential as JSON (§5.1). `credential_id` changes all places that hold it, `raw_id` and
    # `attested_credential_id` only one each. The mappings replace members, and OMIT removes one.
    credential_id: bytes | None = None
    raw_id: bytes | None = None
    response: Mapping[str, object] = field(default_factory=dict)
    credential: Mapping[str, object] = field(default_factory=dict)

    # Ignore excludeCredentials, allowCredentials, pubKeyCredParams and rpId of the options.
    ignores_options: bool = False

    def __repr__(self) -> str:
        """Only the fields that are set, so that a failed test names the flaw."""
        wrong = {n: value for n, value in vars(self).items() if value != getattr(NO_FLAW, n)}
        return f"Flaw({', '.join(f'{name}={value!r}' for name, value in wrong.items())})"


NO_FLAW: Final = Flaw()


def instead(honest: T, forced: T | None) -> T:
    """`forced` if a flaw sets it, else the correct value."""
    return honest if forced is None else forced


def edited_bytes(honest: bytes, change: RawBytes | None) -> bytes:
    """The bytes to send: `honest`, its replacement, or the result of a function of it."""
    if change is None:
        return honest
    return change(honest) if callable(change) else change


def edited_members(honest: dict[str, Any], changes: Mapping[str, object]) -> dict[str, Any]:
    """A copy of the JSON members with the changes made, and members that are OMIT removed."""
    result = dict(honest)
    for name, change in changes.items():
        if change is OMIT:
            result.pop(name, None)
        else:
            result[name] = change(result.get(name)) if callable(change) else change
    return result
