"""A software authenticator: passkeys for tests and for the command line.

It answers creation and request options (the `publicKey` of a begin call) as Chrome does with a
platform authenticator. A `Flaw` makes one part of an answer wrong:

    authenticator = SoftAuthenticator(origin="http://localhost:8000")
    attestation = authenticator.create(creation_options)
    assertion = authenticator.get(request_options, flaw=Flaw(uv=False))

It replaces both the client and the authenticator (WebAuthn L3 §5.1 and §6.3).
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from devtools import cose
from devtools.attestation import packed_self, packed_x5c, statement, with_raw_statement
from devtools.authenticator_data import Flags, attested_credential_data, authenticator_data
from devtools.client_data import client_data_json
from devtools.encoding import from_b64url
from devtools.flaws import NO_FLAW, OMIT, Flaw, instead
from devtools.responses import (
    assertion_response,
    attestation_response,
    client_extensions,
    credential_json,
)
from devtools.soft_passkey import SoftPasskey

__all__ = [
    "NO_FLAW",
    "OMIT",
    "AlgorithmNotOffered",
    "AlreadyRegistered",
    "Flaw",
    "NoPasskey",
    "SoftAuthenticator",
    "SoftPasskey",
    "packed_self",
    "packed_x5c",
    "statement",
    "with_raw_statement",
]

AAGUID: Final = bytes.fromhex("8d7a4a4e5f0f4b0c9c2f6d2b7a51c0de")
"""An AAGUID that no vendor uses."""

_HINT: Final = "; to get an answer, pass flaw=Flaw(ignores_options=True)"


class AlreadyRegistered(Exception):
    """excludeCredentials names a passkey that this authenticator holds (InvalidStateError)."""


class NoPasskey(Exception):
    """No passkey of this authenticator matches the request options (NotAllowedError)."""


class AlgorithmNotOffered(Exception):
    """pubKeyCredParams does not list the algorithm asked for (NotSupportedError)."""


class SoftAuthenticator:
    """One device with its passkeys, and a browser.

    `origin`: the origin of the page in the browser. `counter=False` keeps every sign count at 0,
    as synced passkeys do. Every new passkey gets `backup_eligible` and `backed_up`.
    """

    def __init__(
        self,
        *,
        origin: str = "http://localhost:8000",
        aaguid: bytes = AAGUID,
        transports: Sequence[str] = ("internal",),
        counter: bool = True,
        backup_eligible: bool = False,
        backed_up: bool = False,
    ) -> None:
        self.origin = origin
        self.aaguid = aaguid
        self.transports = tuple(transports)
        self.counter = counter
        self.backup_eligible = backup_eligible
        self.backed_up = backed_up
        self.passkeys: list[SoftPasskey] = []

    def create(
        self, public_key: Mapping[str, Any], *, alg: int = cose.ES256, flaw: Flaw = NO_FLAW
    ) -> dict[str, Any]:
        """Create a passkey and add it to `passkeys` (§5.1.3).

        `public_key`: PublicKeyCredentialCreationOptionsJSON. Returns RegistrationResponseJSON. A
        flaw may set the credential ID. Raises AlreadyRegistered and AlgorithmNotOffered.
        """
        if not flaw.ignores_options:
            self._check_creation_options(public_key, alg)
        passkey = self._new_passkey(public_key, alg, flaw)
        challenge = public_key["challenge"]
        client_data = client_data_json("webauthn.create", challenge, self.origin, flaw)
        key = cose.cose_key(passkey.public_key)
        attested = attested_credential_data(self.aaguid, passkey.credential_id, key, flaw)
        flags = Flags.UP | Flags.UV | Flags.AT | passkey.backup_flags
        auth_data = authenticator_data(passkey.rp_id, flags, 0, flaw, attested=attested)
        self._remember(passkey)
        response = attestation_response(passkey, client_data, auth_data, flaw)
        response["transports"] = list(self.transports)
        return credential_json(passkey, response, client_extensions(public_key), flaw)

    def get(
        self,
        public_key: Mapping[str, Any],
        *,
        passkey: SoftPasskey | None = None,
        flaw: Flaw = NO_FLAW,
    ) -> dict[str, Any]:
        """Sign with a passkey (§5.1.4).

        `public_key`: PublicKeyCredentialRequestOptionsJSON. Returns AuthenticationResponseJSON. The
        passkey is `passkey`, or the newest one that the options allow. Its sign count goes up by
        one, even if a flaw sends another count. Raises NoPasskey.
        """
        passkey = self._chosen_passkey(public_key, passkey, flaw)
        passkey.sign_count += int(self.counter)
        client_data = client_data_json("webauthn.get", public_key["challenge"], self.origin, flaw)
        flags = Flags.UP | Flags.UV | passkey.backup_flags
        rp_id = self._rp_id(public_key.get("rpId"))
        auth_data = authenticator_data(rp_id, flags, passkey.sign_count, flaw)
        response = assertion_response(passkey, client_data, auth_data, flaw)
        return credential_json(passkey, response, {}, flaw)

    def _check_creation_options(self, public_key: Mapping[str, Any], alg: int) -> None:
        """The checks of §5.1.3: an algorithm that is offered, and no excluded passkey."""
        offered = [parameters["alg"] for parameters in public_key["pubKeyCredParams"]]
        if alg not in offered:
            raise AlgorithmNotOffered(f"alg {alg} is not one of the offered {offered}{_HINT}")
        rp_id = self._rp_id(public_key["rp"].get("id"))
        excluded = _credential_ids(public_key.get("excludeCredentials"))
        if any(held.rp_id == rp_id and held.credential_id in excluded for held in self.passkeys):
            raise AlreadyRegistered(f"this authenticator has a passkey of the account{_HINT}")

    def _new_passkey(self, public_key: Mapping[str, Any], alg: int, flaw: Flaw) -> SoftPasskey:
        return SoftPasskey(
            rp_id=self._rp_id(public_key["rp"].get("id")),
            credential_id=instead(secrets.token_bytes(32), flaw.credential_id),
            private_key=cose.generate_private_key(alg),
            alg=alg,
            user_handle=from_b64url(public_key["user"]["id"]),
            user_name=public_key["user"].get("name", ""),
            backup_eligible=self.backup_eligible,
            backed_up=self.backed_up,
        )

    def _remember(self, passkey: SoftPasskey) -> None:
        """Store the passkey in place of the account's former one (§6.3.2)."""
        account = (passkey.rp_id, passkey.user_handle)
        self.passkeys = [held for held in self.passkeys if held.account != account]
        self.passkeys.append(passkey)

    def _chosen_passkey(
        self, public_key: Mapping[str, Any], named: SoftPasskey | None, flaw: Flaw
    ) -> SoftPasskey:
        """The newest passkey that the options allow (§6.3.3)."""
        rp_id = self._rp_id(public_key.get("rpId"))
        allowed = _credential_ids(public_key.get("allowCredentials"))
        for candidate in [named] if named else self.passkeys[::-1]:
            fits = candidate.rp_id == rp_id and (not allowed or candidate.credential_id in allowed)
            if fits or flaw.ignores_options:
                return candidate
        raise NoPasskey(f"no passkey matches these options{_HINT}")

    def _rp_id(self, requested: str | None) -> str:
        """The requested relying party ID, by default the host of the origin (§5.1.3)."""
        return requested or urlsplit(self.origin).hostname or ""


def _credential_ids(descriptors: Sequence[Mapping[str, Any]] | None) -> set[bytes]:
    return {from_b64url(descriptor["id"]) for descriptor in descriptors or ()}
