"""The WebAuthn relying party: its options, and its two verification procedures.

`RelyingParty` is what `auth.py` uses. It knows the settings; the other files of this package get
them as arguments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from core.clock import Clock
from core.relying_party import authentication, options, registration
from core.relying_party.attestation.policy import AttestationPolicy
from core.relying_party.credential_record import (
    CredentialRecord,
    NewCredentialRecord,
    VerifiedLogin,
)
from core.relying_party.options import CredentialDescriptor
from core.relying_party.response_json import AuthenticationResponse, RegistrationResponse
from core.settings import Settings


class RelyingParty:
    """This service as a relying party: an RP ID, its name, and the accepted origins."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._id, self._name = settings.rp_id, settings.rp_name
        self._id_hash = hashlib.sha256(self._id.encode()).digest()
        self._origins = list(settings.accepted_origins)
        self._attachment = settings.authenticator_attachment
        self._policy = AttestationPolicy(settings, clock)

    def creation_options(
        self, *, challenge: str, user_id: str, name: str, display_name: str
    ) -> dict[str, Any]:
        """Return the options of a registration; see `options.creation_options`."""
        return options.creation_options(
            rp_id=self._id,
            rp_name=self._name,
            challenge=challenge,
            user_id=user_id,
            name=name,
            display_name=display_name,
            attestation=self._policy.conveyance,
            attachment=self._attachment,
        )

    def request_options(
        self, *, challenge: str, allowed: Iterable[CredentialDescriptor]
    ) -> dict[str, Any]:
        """Return the options of a login; see `options.request_options`."""
        return options.request_options(rp_id=self._id, challenge=challenge, allowed=allowed)

    def verify_registration(
        self, response: RegistrationResponse, *, expected_challenge: str
    ) -> NewCredentialRecord:
        """Verify a registration; see `registration.verify_registration`."""
        return registration.verify_registration(
            response,
            expected_challenge=expected_challenge,
            expected_origins=self._origins,
            expected_rp_id=self._id,
            expected_rp_id_hash=self._id_hash,
            attestation_policy=self._policy,
        )

    def verify_authentication(
        self,
        response: AuthenticationResponse,
        *,
        expected_challenge: str,
        credential_record: CredentialRecord,
        require_user_handle: bool,
    ) -> VerifiedLogin:
        """Verify a login; see `authentication.verify_authentication`."""
        return authentication.verify_authentication(
            response,
            expected_challenge=expected_challenge,
            expected_origins=self._origins,
            expected_rp_id_hash=self._id_hash,
            credential_record=credential_record,
            require_user_handle=require_user_handle,
        )
