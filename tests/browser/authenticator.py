"""Chromium's virtual authenticator (WebAuthn L3 §11.2), driven through the DevTools protocol."""

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
    """The platform authenticator of the browser. By default it answers every prompt at once."""

    def __init__(self, page: Page) -> None:
        self._cdp = page.context.new_cdp_session(page)
        self._cdp.send("WebAuthn.enable", {"enableUI": False})
        self._id = ""
        self.plug(PLATFORM)

    def plug(self, options: Mapping[str, object]) -> None:
        """Add an authenticator. The other methods are about the last one added."""
        added = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self._id = added["authenticatorId"]

    def _send(self, method: str, **parameters: object) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._cdp.send(
            f"WebAuthn.{method}", {"authenticatorId": self._id, **parameters}
        )
        return answer

    def ignore_prompts(self) -> None:
        """From now on prompts stay open, as if the person has not answered yet."""
        self._send("setAutomaticPresenceSimulation", enabled=False)

    def answer_prompts(self) -> None:
        self._send("setAutomaticPresenceSimulation", enabled=True)

    def fail_verification(self) -> None:
        """From now on user verification fails, as with a wrong PIN."""
        self._send("setUserVerified", isUserVerified=False)

    def unplug(self) -> None:
        """From now on the device has no authenticator."""
        self._send("removeVirtualAuthenticator")

    def credentials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._send("getCredentials")["credentials"]
        return found

    def forget_all(self) -> None:
        self._send("clearCredentials")

    def become_a_clone(self) -> None:
        """Replace each passkey by a copy whose sign count starts at 0 again."""
        for credential in self.credentials():
            self._send("removeCredential", credentialId=credential["credentialId"])
            self._send("addCredential", credential={**credential, "signCount": 0})
