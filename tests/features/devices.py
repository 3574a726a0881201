"""A second passkey of a user, written with SQL: no endpoint adds one yet."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import cbor2

from devtools import cose
from devtools.authenticator import SoftAuthenticator
from devtools.encoding import b64url
from devtools.options import creation_options
from devtools.soft_passkey import SoftPasskey
from tests.support.service import Service

INSERT = """
    INSERT INTO webauthn_credentials (id, user_id, credential_id, public_key, transports)
    VALUES (?, ?, ?, ?, ?)
"""


def second_device(
    service: Service, user: Mapping[str, Any], *, transports: tuple[str, ...] = ("internal",)
) -> SoftAuthenticator:
    """Another device with a passkey of `user`, which the service knows from now on."""
    device = SoftAuthenticator(transports=transports)
    handle = b64url(user["id"].encode())
    device.create(creation_options(user={"id": handle, "name": user["email"]}))
    passkey = device.passkeys[0]
    key = cbor2.dumps(cose.cose_key(passkey.public_key), canonical=True)
    row = (str(uuid.uuid4()), user["id"], passkey.credential_id, key, ",".join(transports))
    service.rows(INSERT, *row)
    return device


def id_of(passkey: SoftPasskey) -> str:
    """The credential id as JSON has it."""
    return b64url(passkey.credential_id)
