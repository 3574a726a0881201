"""Chromium's virtual authenticator: a passkey provider that does as it is told."""

from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Page

PLATFORM = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Authenticator:
    """Stands for the device's own passkeys. Answers every prompt unless told otherwise."""

    def __init__(self, page: Page) -> None:
        self._cdp = page.context.new_cdp_session(page)
        self._cdp.send("WebAuthn.enable", {"enableUI": False})
        added = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": PLATFORM})
        self._id = added["authenticatorId"]

    def _send(self, method: str, **parameters: object) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._cdp.send(
            f"WebAuthn.{method}", {"authenticatorId": self._id, **parameters}
        )
        return answer

    def ignore_prompts(self) -> None:
        """Prompts stay open, as in front of someone who is still thinking."""
        self._send("setAutomaticPresenceSimulation", enabled=False)

    def answer_prompts(self) -> None:
        self._send("setAutomaticPresenceSimulation", enabled=True)

    def fail_verification(self) -> None:
        """The finger, face or PIN is never the right one."""
        self._send("setUserVerified", isUserVerified=False)

    def unplug(self) -> None:
        """From now on the device can hold no passkeys."""
        self._send("removeVirtualAuthenticator")

    def credentials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._send("getCredentials")["credentials"]
        return found

    def forget_all(self) -> None:
        self._send("clearCredentials")

    def become_a_clone(self) -> None:
        """An old copy of the passkey answers: the same key, but its counter begins anew."""
        for credential in self.credentials():
            self._send("removeCredential", credentialId=credential["credentialId"])
            self._send("addCredential", credential={**credential, "signCount": 0})
