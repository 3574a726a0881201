"""What can be wrong with a WebAuthn ceremony, one named field per flaw.

A test passes `flaw=Flaw(origin="http://evil.example")` and everything else stays honest: hashes
and signatures are computed over the flawed bytes, so the flaw named is the only thing wrong.
Three fields change the answer after signing and so break the signature when they touch signed
bytes: `signature`, `response` and `credential`.

Wherever a replacement is raw (bytes, or a JSON member) it may also be a function that receives the
honest value: `Flaw(client_data=lambda honest: b"\\xef\\xbb\\xbf" + honest)`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeVar

from devtools.attestation import AttestationMaker
from devtools.cose import PrivateKey


class Omit(Enum):
    """The type of OMIT, so that type checkers tell it from any value."""

    OMIT = "omit"


OMIT: Final = Omit.OMIT

T = TypeVar("T")
RawBytes = bytes | Callable[[bytes], bytes]


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """Everything that a ceremony can get wrong; a field left alone means honest behaviour."""

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
    extensions: object | None = None  # bytes are raw CBOR; sets ED unless `ed` says otherwise
    trailing_authenticator_data: bytes = b""
    authenticator_data: RawBytes | None = None

    # Attested credential data (§6.5.1)
    aaguid: bytes | None = None
    attested_credential_id: bytes | None = None
    attested_credential_id_length: int | None = None
    # Bytes are raw CBOR, any other value is encoded, a function receives the honest map.
    cose_key: object | Callable[[dict[int, Any]], object] | None = None

    # Attestation object (§6.5.4)
    attestation: AttestationMaker | None = None
    trailing_attestation_object: bytes = b""
    attestation_object: RawBytes | None = None

    # Assertion (§6.3.3); a user handle in text goes out as it stands
    user_handle: bytes | str | Omit | None = None
    signing_key: PrivateKey | None = None
    flip_signature_bit: bool = False
    signature: RawBytes | None = None

    # The credential as JSON (§5.1): `credential_id` is that of every place, `raw_id` and
    # `attested_credential_id` of theirs; the mappings replace members, OMIT removes them
    credential_id: bytes | None = None
    raw_id: bytes | None = None
    response: Mapping[str, object] = field(default_factory=dict)
    credential: Mapping[str, object] = field(default_factory=dict)

    # The options sent: excludeCredentials, allowCredentials, pubKeyCredParams, rpId
    ignores_options: bool = False

    def __repr__(self) -> str:
        """Only what is wrong, so that a failed test names it."""
        wrong = {n: value for n, value in vars(self).items() if value != getattr(NO_FLAW, n)}
        return f"Flaw({', '.join(f'{name}={value!r}' for name, value in wrong.items())})"


NO_FLAW: Final = Flaw()


def instead(honest: T, forced: T | None) -> T:
    """The honest value, or the one that a flaw forces."""
    return honest if forced is None else forced


def edited_bytes(honest: bytes, change: RawBytes | None) -> bytes:
    """Honest bytes and a raw replacement (or none, or a function) in; the bytes to send out."""
    if change is None:
        return honest
    return change(honest) if callable(change) else change


def edited_members(honest: dict[str, Any], changes: Mapping[str, object]) -> dict[str, Any]:
    """JSON members and their replacements in; a new dict out, without the OMITted members."""
    result = dict(honest)
    for name, change in changes.items():
        if change is OMIT:
            result.pop(name, None)
        else:
            result[name] = change(result.get(name)) if callable(change) else change
    return result
