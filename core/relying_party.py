"""The WebAuthn relying party: the options it asks with, and the two verification procedures.

The one place that calls py_webauthn, with `relying_party_attestation` and `_tpm`. Its errors, and
whatever else hostile input makes it raise, become `BadCredential`. Numbers of steps are those of
Web Authentication Level 3, §7.1 and §7.2.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from webauthn import verify_registration_response
from webauthn.helpers.cose import COSEAlgorithmIdentifier

from core import cose
from core.attestation_object import (
    FLAGS_OFFSET,
    read_attestation,
    require_attested_data,
    require_authenticator_data,
)
from core.client_data import (
    AuthenticationResponse,
    BadCredential,
    ClientData,
    RegistrationResponse,
)
from core.clock import Clock
from core.config import Settings
from core.encoding import base64url_decode, base64url_encode
from core.relying_party_attestation import Attestation
from core.relying_party_library import call, verify_signature

ALGORITHMS = [COSEAlgorithmIdentifier(alg) for alg in cose.OFFERED]
TIMEOUT_MS = 60_000
# A guess at an id must be hopeless: "at least 16 bytes" (WebAuthn L3 §4, Credential ID).
MIN_CREDENTIAL_ID = 16
UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80
SIGN_COUNT_OFFSET = FLAGS_OFFSET + 1
RESERVED_FLAGS = 0xFF & ~(UP | UV | BE | BS | AT | ED)


class PossibleClone(BadCredential):
    """The signature holds, but the sign count does not: two authenticators may share the key."""


@dataclass(frozen=True)
class NewPasskey:
    """What is kept of a verified registration (WebAuthn L3 §4, credential record)."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    aaguid: str
    backup_eligible: bool
    backed_up: bool
    user_verified: bool


class StoredPasskey(NamedTuple):
    """The part of a credential record that a login is verified against."""

    public_key: bytes
    sign_count: int
    backup_eligible: bool
    user_handle: bytes


class VerifiedLogin(NamedTuple):
    """What a verified assertion changes in the credential record (§7.2 step 24)."""

    sign_count: int
    backed_up: bool


@dataclass(frozen=True)
class Descriptor:
    """A credential as `allowCredentials` names it."""

    credential_id: bytes
    transports: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """PublicKeyCredentialDescriptorJSON (§5.8.3)."""
        shown = {"type": "public-key", "id": base64url_encode(self.credential_id)}
        return {**shown, "transports": list(self.transports)} if self.transports else shown


def nobodys_passkey() -> StoredPasskey:
    """What an assertion is verified against when nobody has its credential; it never holds."""
    key = cose.nobodys_keys()[cose.ES256]
    return StoredPasskey(key, sign_count=0, backup_eligible=False, user_handle=b"nobody")


def user_handle(user_id: str) -> bytes:
    """The user handle of an account: its UUID as text (§5.4.3: opaque, no personal data)."""
    return user_id.encode("ascii")


class RelyingParty:
    """The service as authenticators know it: an RP ID and the origins under it."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._id, self._name = settings.rp_id, settings.rp_name
        self._id_hash = hashlib.sha256(self._id.encode()).digest()
        self._origins = list(settings.accepted_origins)
        self._attestation = Attestation(settings, clock)

    def creation_options(
        self, *, challenge: str, user_id: str, name: str, display_name: str
    ) -> dict[str, Any]:
        """PublicKeyCredentialCreationOptionsJSON (§5.4) for a new account's first passkey."""
        return {
            "rp": {"id": self._id, "name": self._name},
            "user": {
                "id": base64url_encode(user_handle(user_id)),
                "name": name,
                "displayName": display_name,
            },
            "challenge": challenge,
            "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in cose.OFFERED],
            "timeout": TIMEOUT_MS,
            "excludeCredentials": [],
            "authenticatorSelection": {
                "authenticatorAttachment": "platform",
                "residentKey": "required",
                "requireResidentKey": True,
                "userVerification": "required",
            },
            "hints": ["client-device"],
            "attestation": self._attestation.conveyance,
            "extensions": {"credProps": True},
        }

    def request_options(self, *, challenge: str, allowed: Iterable[Descriptor]) -> dict[str, Any]:
        """PublicKeyCredentialRequestOptionsJSON (§5.5); nobody allowed means anybody may come."""
        return {
            "challenge": challenge,
            "timeout": TIMEOUT_MS,
            "rpId": self._id,
            "allowCredentials": [descriptor.to_json() for descriptor in allowed],
            "userVerification": "required",
        }

    def verify_registration(
        self, response: RegistrationResponse, *, expected_challenge: str
    ) -> NewPasskey:
        """Registering a new credential (§7.1). Raises BadCredential."""
        # Steps 7 to 12: type, challenge, origin, crossOrigin, topOrigin.
        self._require_client_data(response.client_data, "webauthn.create", expected_challenge)
        attestation = read_attestation(response)
        # Step 21, first half: a format that is taken here.
        self._attestation.require_format(attestation)
        require_attested_data(attestation)
        # Steps 16 to 19: UP, UV, BE and BS; the reserved bits are ours to refuse.
        flags = _require_flags(attestation.authenticator_data)
        verified = call(
            verify_registration_response,
            credential=_with_attestation(response.json, attestation.without_statement),
            # Step 8, once more, as bytes: the texts were compared above.
            expected_challenge=_challenge_bytes(expected_challenge),
            # Step 15: the RP ID hash.
            expected_rp_id=self._id,
            expected_origin=self._origins,
            require_user_presence=True,
            require_user_verification=True,
            # Step 20: the algorithm is one that was asked for.
            supported_pub_key_algs=ALGORITHMS,
        )
        public_key = _canonical_key(verified.credential_public_key)
        # Steps 21 to 24: the statement, which the library has not seen.
        self._attestation.require_vouched(attestation, public_key)
        # Step 25, and the id outside must be the one that is attested.
        if verified.credential_id != response.credential_id:
            raise BadCredential("credential_id_not_attested")
        if len(verified.credential_id) < MIN_CREDENTIAL_ID:
            raise BadCredential("credential_id_short")
        return NewPasskey(
            credential_id=verified.credential_id,
            public_key=public_key,
            sign_count=verified.sign_count,
            transports=response.transports,
            aaguid=verified.aaguid,
            backup_eligible=bool(flags & BE),
            backed_up=bool(flags & BS),
            user_verified=bool(flags & UV),
        )

    def verify_authentication(
        self,
        response: AuthenticationResponse,
        *,
        expected_challenge: str,
        stored: StoredPasskey,
        require_user_handle: bool,
    ) -> VerifiedLogin:
        """Verifying an authentication assertion (§7.2). Raises BadCredential, PossibleClone."""
        # Steps 11 to 16: type, challenge, origin, crossOrigin, topOrigin.
        self._require_client_data(response.client_data, "webauthn.get", expected_challenge)
        data = response.authenticator_data
        # Step 17, the RP ID hash, once the data is long enough to hold one; steps 18 to 20: UP, UV,
        # BE and BS.
        flags = _require_flags(data)
        self._require_rp_id_hash(data)
        require_authenticator_data(data)
        # Steps 21 to 23: the signature, over authenticator data and hash of the client data.
        signed = data + hashlib.sha256(response.client_data.raw).digest()
        try:
            verify_signature(stored.public_key, response.signature, signed)
        except BadCredential:
            _verify_as_others(stored.public_key, response.signature, signed)
            raise
        # What depends on the account is not looked at before the signature: how long a refusal
        # takes must not tell what is stored, or that anything is.
        # Step 6: the credential's owner is the one the user handle names.
        _require_user_handle(response.user_handle, stored.user_handle, require_user_handle)
        # Step 20, second half: backup eligibility never changes.
        if bool(flags & BE) != stored.backup_eligible:
            raise BadCredential("backup_eligibility_changed")
        sign_count = int.from_bytes(data[SIGN_COUNT_OFFSET : SIGN_COUNT_OFFSET + 4])
        require_sign_count(sign_count, stored.sign_count)
        return VerifiedLogin(sign_count, bool(flags & BS))

    def _require_rp_id_hash(self, authenticator_data: bytes) -> None:
        if not hmac.compare_digest(authenticator_data[:FLAGS_OFFSET], self._id_hash):
            raise BadCredential("rp_id_hash")

    def _require_client_data(self, data: ClientData, kind: str, challenge: str) -> None:
        if data.type != kind:
            raise BadCredential("client_data_type")
        # As text: several texts decode to the same bytes.
        if not hmac.compare_digest(data.challenge.encode(), challenge.encode()):
            raise BadCredential("challenge")
        if data.origin not in self._origins:
            raise BadCredential("origin")
        # No page of ours runs inside another's frame.
        if data.cross_origin:
            raise BadCredential("cross_origin")
        if data.top_origin is not None:
            raise BadCredential("top_origin")


def require_sign_count(new: int, stored: int) -> None:
    """§7.2 step 24: strictly greater, but for authenticators that never count. PossibleClone."""
    if (new or stored) and new <= stored:
        raise PossibleClone("sign_count")


def _verify_as_others(public_key: bytes, signature: bytes, signed: bytes) -> None:
    """Verify a refused signature under a key of every other algorithm, too, for the time it takes.

    A bad signature is refused in 10 to 90 us, by the algorithm of the key: that would tell a
    passkey of one kind from a decoy, which is of none.
    """
    for algorithm, key in cose.nobodys_keys().items():
        if algorithm != cose.algorithm_of(public_key):
            with suppress(BadCredential):
                verify_signature(key, signature, signed)


def _require_user_handle(given: bytes | None, expected: bytes, required: bool) -> None:
    if given is None and required:
        raise BadCredential("user_handle_missing")
    if given is not None and given != expected:
        raise BadCredential("user_handle")


def _require_flags(authenticator_data: bytes) -> int:
    """The flags byte, once it is sound (§6.1, §7.1 steps 16 to 18, §7.2 steps 18 to 20)."""
    if len(authenticator_data) < FLAGS_OFFSET + 5:
        raise BadCredential("authenticator_data_short")
    flags = authenticator_data[FLAGS_OFFSET]
    if not flags & UP:
        raise BadCredential("user_not_present")
    if not flags & UV:
        raise BadCredential("user_not_verified")
    if flags & BS and not flags & BE:
        raise BadCredential("backed_up_but_not_eligible")
    if flags & RESERVED_FLAGS:
        raise BadCredential("reserved_flags")
    return flags


def _with_attestation(credential: Mapping[str, Any], encoded: bytes) -> dict[str, Any]:
    """The credential, around another attestation object."""
    response = {**credential["response"], "attestationObject": base64url_encode(encoded)}
    return {**_bare(credential), "response": response}


def _bare(credential: Mapping[str, Any]) -> dict[str, Any]:
    """The members that are judged: unknown values of the others mean nothing (§5.1, enums)."""
    return {name: credential[name] for name in ("id", "rawId", "type", "response")}


def _canonical_key(encoded: bytes) -> bytes:
    try:
        return cose.canonical(encoded)
    except cose.BadKey:
        raise BadCredential("public_key") from None


def _challenge_bytes(challenge: str) -> bytes:
    return base64url_decode(challenge)
