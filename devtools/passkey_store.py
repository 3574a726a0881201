"""Passkeys in a file. Danger: the private keys are in clear, so they are for localhost only."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from cli.errors import CommandError
from devtools.soft_passkey import SoftPasskey

OWNER_ONLY = 0o600


class StoreError(CommandError):
    """The file is not a passkey store, or cannot be written."""

    exit_status = 2


class PasskeyStore:
    """A file of passkeys, readable by its owner only. Every change replaces the whole file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def passkeys(self) -> list[SoftPasskey]:
        """All stored passkeys, oldest first; none if the file does not exist. Raises StoreError."""
        try:
            members = json.loads(self.path.read_text("utf-8"))
            return [SoftPasskey.from_json(passkey) for passkey in members["passkeys"]]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StoreError(f"{self.path} is not a passkey store: {error!r}") from error

    def keep(self, passkey: SoftPasskey) -> None:
        """Store the passkey; it replaces one with the same credential ID. Raises StoreError."""
        kept = [held for held in self.passkeys() if held.credential_id != passkey.credential_id]
        self._write([*kept, passkey])

    def forget(self, passkey: SoftPasskey) -> None:
        """Delete the passkey, for example after a refused registration. Raises StoreError."""
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
    """Write a temporary file, flush it to the disk, then rename it to `path`."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
