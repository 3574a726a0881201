"""Authentication: a decoded assertion is verified against a credential record (WebAuthn L3 §7.2).

This is the service's own procedure. py_webauthn takes no part in a login: it is the second opinion
in `tests/vectors/test_second_opinion.py`. docs/decisions/0006-own-login-verification.md says why.

The steps stand in the order of the specification, with one exception. Steps 5, 6 and 19 depend on
the account and come after the signature (step 21): the time until a refusal must not tell what is
stored, or whether anything is stored. Step 5 is in `auth.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from contextlib import suppress

from core.relying_party.authenticator_data import (
    BE,
    BS,
    RESERVED_FLAGS,
    require_header,
    require_structure,
    sign_count_of,
)
from core.relying_party.client_data import require_client_data
from core.relying_party.cose_key import algorithm_of, verify_signature
from core.relying_party.credential_record import CredentialRecord, VerifiedLogin
from core.relying_party.errors import BadCredential, PossibleClone
from core.relying_party.placeholder_keys import placeholder_keys
from core.relying_party.response_json import AuthenticationResponse


def verify_authentication(
    response: AuthenticationResponse,
    *,
    expected_challenge: str,
    expected_origins: Collection[str],
    expected_rp_id_hash: bytes,
    credential_record: CredentialRecord,
    require_user_handle: bool,
) -> VerifiedLogin:
    """Verify an assertion and return the record's new values. Raises BadCredential, PossibleClone.

    User presence and user verification are always required. `expected_challenge` is the base64url
    text of the options. `require_user_handle` is true if the login began without an email.
    """
    # Steps 7 to 9 are done: `response_json.py` decoded the response.
    # Steps 10 to 14: type, challenge, origin, crossOrigin, topOrigin.
    require_client_data(
        response.client_data,
        expected_type="webauthn.get",
        expected_challenge=expected_challenge,
        expected_origins=expected_origins,
    )
    data = response.authenticator_data
    # Steps 15 to 18: RP ID hash, UP, UV, BE and BS.
    flags = require_header(data, expected_rp_id_hash=expected_rp_id_hash)
    # §6.1: exactly the parts that the flags announce.
    require_structure(data)
    # Step 20: the hash of the client data. Step 21: the signature.
    signed = data + hashlib.sha256(response.client_data.raw).digest()
    try:
        verify_signature(credential_record.public_key, response.signature, signed)
    except BadCredential:
        _equalise_verification_time(credential_record.public_key, response.signature, signed)
        raise
    # Step 6: the user handle is that of the credential's owner.
    _require_user_handle(
        response.user_handle, expected=credential_record.user_handle, required=require_user_handle
    )
    # Step 19: backup eligibility never changes.
    if bool(flags & BE) != credential_record.backup_eligible:
        raise BadCredential("backup_eligibility_changed")
    # Step 22: the signature counter.
    sign_count = sign_count_of(data)
    require_sign_count(sign_count, credential_record.sign_count)
    # Step 23: extensions are ignored. Step 24: what changes in the record.
    return VerifiedLogin(sign_count, bool(flags & BS), flags & RESERVED_FLAGS)


def require_sign_count(new: int, stored: int) -> None:
    """Step 22: the count is greater than the stored one, or both are 0. Raises PossibleClone.

    An authenticator that does not count always sends 0.
    """
    if (new or stored) and new <= stored:
        raise PossibleClone("sign_count")


def _require_user_handle(given: bytes | None, *, expected: bytes, required: bool) -> None:
    if given is None and required:
        raise BadCredential("user_handle_missing")
    if given is not None and given != expected:
        raise BadCredential("user_handle")


def _equalise_verification_time(public_key: bytes, signature: bytes, signed: bytes) -> None:
    """Verify a refused signature under a placeholder key of every other algorithm, too.

    A bad signature takes 10 to 90 us, depending on the algorithm of the key. Without this, the time
    would tell a registered passkey from a decoy, which has no key.
    """
    for algorithm, key in placeholder_keys().items():
        if algorithm != algorithm_of(public_key):
            with suppress(BadCredential):
                verify_signature(key, signature, signed)
