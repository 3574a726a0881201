"""Drives Firefox through Marionette: its remote control, which speaks JSON on a socket."""

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

COMMANDS = ("firefox-esr", "firefox")
START_TIMEOUT_SECONDS = 30.0
ANSWER_TIMEOUT_SECONDS = 15.0
# No connections to Mozilla, and a software token that holds the passkeys.
PREFERENCES = {
    "app.update.enabled": False,
    "browser.region.network.url": "",
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "security.webauth.webauthn_enable_softtoken": True,
    "security.webauth.webauthn_enable_usbtoken": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
}
VIRTUAL = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserConsenting": True,
    "isUserVerified": True,
}


def find_firefox() -> str | None:
    given = os.environ.get("FIREFOX_PATH")
    return given or next(filter(None, map(shutil.which, COMMANDS)), None)


class Firefox:
    """One window in a new profile. Every call waits for its answer, with a timeout."""

    def __init__(self, command: str, profile: Path, port: int) -> None:
        preferences = PREFERENCES | {"marionette.port": port}
        lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in preferences.items())
        (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
        arguments = ["--headless", "--no-remote", "--marionette", "--profile", str(profile)]
        self._process = subprocess.Popen(
            [command, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._socket: socket.socket | None = None
        self._port = port
        self._count = 0

    def start(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while self._socket is None:
            try:
                self._socket = socket.create_connection(
                    ("127.0.0.1", self._port), ANSWER_TIMEOUT_SECONDS
                )
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        self._receive()  # the greeting
        self.send("WebDriver:NewSession")
        self.send("WebAuthn:AddVirtualAuthenticator", **VIRTUAL)

    def send(self, command: str, **parameters: object) -> Any:
        assert self._socket
        self._count += 1
        message = json.dumps([0, self._count, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self._receive()
        if error:
            raise RuntimeError(f"{command}: {error['error']}: {error['message']}")
        return result

    def _receive(self) -> Any:
        """One message: its length in digits, a colon, and that many bytes of JSON."""
        length = b""
        while (char := self._exactly(1)) != b":":
            length += char
        return json.loads(self._exactly(int(length)))

    def _exactly(self, count: int) -> bytes:
        assert self._socket
        data = b""
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            if not part:
                raise ConnectionError("Firefox hung up")
            data += part
        return data

    def open(self, url: str) -> None:
        self.send("WebDriver:Navigate", url=url)

    def run(self, script: str, *arguments: object) -> Any:
        """Run a script in the page and return the value of its `return`."""
        return self.send("WebDriver:ExecuteScript", script=script, args=list(arguments))["value"]

    def stop(self) -> None:
        if self._socket:
            self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(ANSWER_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
