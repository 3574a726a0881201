"""The options of both ceremonies, as the browser gets them."""

from __future__ import annotations

import pytest

from core.relying_party.credential_record import user_handle
from core.relying_party.options import CredentialDescriptor
from core.settings import Settings
from tests.unit.core.relying_party.one_passkey import relying_party


def test_creation_options_are_these_to_the_letter() -> None:
    """A17: three algorithms, a discoverable key, and the user verified, or nothing."""
    options = relying_party().creation_options(
        challenge="C", user_id="u1", name="n@x", display_name="D N"
    )
    assert options == {
        "rp": {"id": "localhost", "name": Settings().rp_name},
        "user": {"id": "dTE", "name": "n@x", "displayName": "D N"},
        "challenge": "C",
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in (-7, -8, -257)],
        "timeout": 60000,
        "excludeCredentials": [],
        "authenticatorSelection": {
            "authenticatorAttachment": "platform",
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "hints": ["client-device"],
        "attestation": "none",
        "extensions": {"credProps": True},
    }


def test_request_options_are_these_to_the_letter() -> None:
    allowed = [
        CredentialDescriptor(b"\0\0\0", ("internal", "usb")),
        CredentialDescriptor(b"\0\0\1", ()),
    ]
    assert relying_party().request_options(challenge="C", allowed=allowed) == {
        "challenge": "C",
        "timeout": 60000,
        "rpId": "localhost",
        "allowCredentials": [
            {"type": "public-key", "id": "AAAA", "transports": ["internal", "usb"]},
            {"type": "public-key", "id": "AAAB"},
        ],
        "userVerification": "required",
    }


def test_a_user_handle_is_the_id_as_ascii() -> None:
    assert user_handle("0f") == b"0f"
    with pytest.raises(UnicodeEncodeError):
        user_handle("é")
