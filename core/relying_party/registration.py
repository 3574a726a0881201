"""Registration: from the decoded response to a new credential record (WebAuthn L3 §7.1).

The path of a credential through the files of this package:

1. `response_json.py` decodes the members; `client_data.py` parses the client data. `auth.py` has
   taken the challenge from its store in between.
2. `client_data.py` compares type, challenge and origins with what was asked for.
3. `attestation/object.py` decodes the attestation object. `ctap_cbor.py` has scanned all of its
   bytes before, because a general CBOR decoder can be attacked with a few bytes.
4. `attestation/policy.py` drops the statement if the settings ask for none, and refuses a
   statement format that cannot be verified if they ask for one.
5. `authenticator_data.py` checks structure, RP ID hash and flags.
6. `py_webauthn.py` gives the credential to the library, encoded again with attestation format
   `none`. So the library verifies the credential and never sees the statement, whose certificates
   it would judge by its own roots and the machine's clock.
7. `cose_key.py` checks the public key and encodes it in the canonical form that is stored.
8. `attestation/policy.py` verifies the statement (`statements.py`, with `certificates.py` and
   `tpm.py`) and the certificate chain (`trust_anchors.py`).
"""

from __future__ import annotations

from collections.abc import Collection

from core.relying_party import cose_key, py_webauthn
from core.relying_party.attestation.object import AttestationObject
from core.relying_party.attestation.policy import AttestationPolicy
from core.relying_party.authenticator_data import (
    BE,
    BS,
    RESERVED_FLAGS,
    UV,
    require_attested_data,
    require_header,
    sign_count_of,
)
from core.relying_party.client_data import require_client_data
from core.relying_party.credential_record import NewCredentialRecord
from core.relying_party.errors import BadCredential
from core.relying_party.response_json import RegistrationResponse

# A credential ID has "at least 16 bytes" (WebAuthn L3 §4, Credential ID): no attacker can guess it.
MIN_CREDENTIAL_ID = 16


def verify_registration(
    response: RegistrationResponse,
    *,
    expected_challenge: str,
    expected_origins: Collection[str],
    expected_rp_id: str,
    expected_rp_id_hash: bytes,
    attestation_policy: AttestationPolicy,
) -> NewCredentialRecord:
    """Verify a registration response and return the record to store. Raises BadCredential.

    User presence and user verification are always required. `expected_challenge` is the base64url
    text of the options.
    """
    # Steps 3 to 6 are done: `response_json.py` decoded the response.
    # Steps 7 to 11: type, challenge, origin, crossOrigin, topOrigin.
    require_client_data(
        response.client_data,
        expected_type="webauthn.create",
        expected_challenge=expected_challenge,
        expected_origins=expected_origins,
    )
    # Steps 12, 13 and 21: hash the client data, decode the attestation object, check its format.
    attestation = attestation_policy.read(response)
    # §6.5.1: the structure is checked before a step reads a part of it.
    require_attested_data(attestation.authenticator_data)
    # Steps 14 to 17: RP ID hash, UP, UV, BE and BS.
    flags = require_header(attestation.authenticator_data, expected_rp_id_hash=expected_rp_id_hash)
    # Steps 7 to 9 and 14 to 17 again by the library, and step 20: the key's algorithm was offered.
    verified = py_webauthn.verify_registration(
        response,
        attestation,
        expected_challenge=expected_challenge,
        expected_origins=expected_origins,
        expected_rp_id=expected_rp_id,
    )
    # Step 20, for the rest of the key: it must be able to verify a signature later.
    public_key = _canonical_key(verified.credential_public_key)
    # Steps 22 to 24: the attestation statement is valid and trustworthy.
    attestation_policy.require_trustworthy(attestation, public_key)
    # Step 25, and the same credential ID inside and outside of the attestation object.
    _require_credential_id(attestation, response.credential_id)
    # Step 26, that no user has this credential ID, is the unique index of `models.py`.
    # Step 27: the record. Steps 18 and 19: BE and BS are stored. Step 28: extensions are ignored.
    return NewCredentialRecord(
        credential_id=response.credential_id,
        public_key=public_key,
        sign_count=sign_count_of(attestation.authenticator_data),
        transports=response.transports,
        aaguid=verified.aaguid,
        backup_eligible=bool(flags & BE),
        backed_up=bool(flags & BS),
        user_verified=bool(flags & UV),
        reserved_flags=flags & RESERVED_FLAGS,
    )


def _canonical_key(encoded: bytes) -> bytes:
    try:
        return cose_key.canonical(encoded)
    except cose_key.BadKey:
        raise BadCredential("public_key") from None


def _require_credential_id(attestation: AttestationObject, given: bytes) -> None:
    """Compare the attested credential ID with `rawId`, of at most 1023 bytes, and its minimum."""
    if attestation.credential_id != given:
        raise BadCredential("credential_id_not_attested")
    if len(given) < MIN_CREDENTIAL_ID:
        raise BadCredential("credential_id_short")
