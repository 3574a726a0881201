"""Passkeys in a file. Danger: the private keys lie there in clear; they are for localhost only."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from devtools.soft_passkey import SoftPasskey

OWNER_ONLY = 0o600


class StoreError(Exception):
    """The file is no passkey store, or cannot be written."""


class PasskeyStore:
    """A file of passkeys, readable by its owner alone, replaced whole at every change."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def passkeys(self) -> list[SoftPasskey]:
        """All passkeys kept, oldest first; none if there is no file. Raises StoreError."""
        try:
            members = json.loads(self.path.read_text("utf-8"))
            return [SoftPasskey.from_json(passkey) for passkey in members["passkeys"]]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StoreError(f"{self.path} is not a passkey store: {error!r}") from error

    def keep(self, passkey: SoftPasskey) -> None:
        """Add the passkey, or put it in the place of the one with its credential ID."""
        kept = [held for held in self.passkeys() if held.credential_id != passkey.credential_id]
        self._write([*kept, passkey])

    def forget(self, passkey: SoftPasskey) -> None:
        """Remove the passkey, as after a registration that the relying party refused."""
        kept = [held for held in self.passkeys() if held.credential_id != passkey.credential_id]
        self._write(kept)

    def _write(self, passkeys: list[SoftPasskey]) -> None:
        members: dict[str, Any] = {
            "danger": "private keys in clear, for localhost only",
            "passkeys": [passkey.to_json() for passkey in passkeys],
        }
        try:
            _write_atomically(self.path, json.dumps(members, indent=2))
        except OSError as error:
            raise StoreError(f"cannot write {self.path}: {error}") from error


def _write_atomically(path: Path, text: str) -> None:
    """All or nothing: a new file beside the old one, on disk before it takes its name."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
