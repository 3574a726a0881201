"""No secret is in the database or the log: all flows are run, then both are searched."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from core.settings.checks import DEVELOPMENT_SECRET
from devtools.authenticator import Flaw, SoftAuthenticator
from tests.support.app_log import lines, until
from tests.support.service import JANE, Service, person

BOB = person("bob")


class Secrets:
    """The secrets that must not be found, in every encoding."""

    def __init__(self) -> None:
        self.found: dict[str, bytes] = {}

    def add_text(self, name: str, text: str) -> None:
        self.found[name] = text.encode()

    def add_bytes(self, name: str, data: bytes) -> None:
        self.found[f"{name}, raw"] = data
        self.found[f"{name}, hex"] = data.hex().encode()
        # Without the end, which depends on padding and on what follows.
        self.found[f"{name}, base64"] = base64.b64encode(data)[:-4]
        self.found[f"{name}, base64url"] = base64.urlsafe_b64encode(data)[:-4]

    def add_credential(self, name: str, credential: dict[str, Any]) -> None:
        self.add_text(f"{name} id", credential["id"])
        for member, text in credential["response"].items():
            if isinstance(text, str) and member != "userHandle":
                self.add_text(f"{name} {member}", text)


def begin(service: Service, secrets: Secrets, name: str) -> dict[str, Any]:
    options = service.begin_login()
    secrets.add_text(f"challenge of {name}", options["challenge"])
    return options


@pytest.fixture
def secrets(service: Service, device: SoftAuthenticator) -> Secrets:
    """Every kind of flow has been run; what passed through them is collected."""
    found = Secrets()
    found.add_text("signing secret", DEVELOPMENT_SECRET)
    options = service.begin_registration()
    found.add_text("challenge of registration", options["challenge"])
    credential = device.create(options)
    found.add_credential("attestation", credential)
    user = service.complete_registration(JANE["email"], credential).json()
    service.complete_registration(JANE["email"], credential)
    service.post("/register/begin", JANE)
    service.register(SoftAuthenticator(), BOB)

    passkey = device.passkeys[0]
    found.add_bytes("credential id", passkey.credential_id)
    private = passkey.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    found.add_bytes("private key", private)
    stored = service.rows("SELECT public_key FROM webauthn_credentials ORDER BY rowid")[0]
    found.add_bytes("public key", stored["public_key"])

    for name, flaw in {
        "good login": Flaw(),
        "bad signature": Flaw(flip_signature_bit=True),
        "clone": Flaw(sign_count=1),
        "foreign origin": Flaw(origin="https://evil.example"),
        "junk": Flaw(authenticator_data=b"junk" * 20),
    }.items():
        assertion = device.get(begin(service, found, name), flaw=flaw)
        found.add_credential(name, assertion)
        answer = service.complete_login(JANE["email"], assertion)
        if answer.status_code == 200:
            found.add_text("token", answer.json()["access_token"])
    token = found.found["token"].decode()
    found.add_text("signature of the token", token.split(".")[2])
    service.get(f"/users/{user['id']}", token)
    service.get("/users/someone-else", token)
    service.get(f"/users/{user['id']}", token[:-4])
    service.get(f"/users/{user['id']}", "a-password-someone-typed")
    found.add_text("password for a token", "a-password-someone-typed")
    service.complete_login(None, {"response": {"clientDataJSON": "a-secret-someone-typed"}})
    found.add_text("junk for a credential", "a-secret-someone-typed")
    return found


def test_the_log_holds_no_secret(service: Service, secrets: Secrets) -> None:
    """No token, challenge, credential id, key or signature, in whatever spelling."""
    lines(service, len(service.audit()))
    text = (service.folder / "app.log").read_bytes()
    assert [name for name, secret in secrets.found.items() if secret in text] == []


def test_the_audit_table_holds_no_secret(service: Service, secrets: Secrets) -> None:
    """Column by column, row by row."""
    text = "\n".join(str(list(row.values())) for row in service.audit()).encode()
    assert len(service.audit()) > 15
    assert [name for name, secret in secrets.found.items() if secret in text] == []


def test_the_database_holds_no_private_secret(service: Service, secrets: Secrets) -> None:
    """The database file: public keys and credential ids are in it, secrets are not."""
    public = ("credential id", "public key", "attestation", "good login id", "clone id")
    files = [service.folder / name for name in ("app.db", "app.db-wal")]
    text = b"".join(file.read_bytes() for file in files if file.is_file())
    leaked = [name for name, secret in secrets.found.items() if secret in text]
    assert [name for name in leaked if not name.startswith(public)] == []


def test_a_fault_inside_logs_a_traceback_without_the_request(
    service: Service, device: SoftAuthenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B7: an error's log line does not hold what a person typed."""
    service.register(device)
    assertion = device.get(service.begin_login())
    service.rows("ALTER TABLE audit_logs RENAME TO elsewhere")
    assert service.complete_login(JANE["email"], assertion).status_code == 503
    log = service.folder / "app.log"
    until(lambda: log.is_file() and b"statement failed" in log.read_bytes())
    text = log.read_bytes().partition(b"statement failed")[2]
    assert JANE["email"].encode() not in text
    assert assertion["response"]["signature"].encode() not in text
