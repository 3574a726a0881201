"""clientDataJSON as browsers write it, with flaws if wanted."""

import json
from typing import Any

from devtools.encoding import b64url, from_b64url
from devtools.flaws import Flaw, edited_bytes, edited_members, instead


def client_data_json(ceremony: str, challenge: str, origin: str, flaw: Flaw) -> bytes:
    """The collected client data in UTF-8 (WebAuthn L3 §5.8.1.1).

    `ceremony`: `webauthn.create` or `webauthn.get`. Raises ValueError for a challenge that browsers
    would not decode.
    """
    text = instead(b64url(from_b64url(challenge)), flaw.challenge)
    members: dict[str, Any] = {
        "type": instead(ceremony, flaw.type),
        "challenge": padded(text) if flaw.challenge_padding else text,
        "origin": instead(origin, flaw.origin),
        "crossOrigin": flaw.cross_origin,
    }
    if flaw.top_origin is not None:
        members["topOrigin"] = flaw.top_origin
    members = edited_members(members, flaw.client_data_members)
    return edited_bytes(serialized(members), flaw.client_data)


def padded(text: str) -> str:
    """The text with base64 padding, which a challenge must not have."""
    return text + ("=" * (-len(text) % 4) or "=")


def serialized(members: dict[str, Any]) -> bytes:
    """The serialization of §5.8.1.1: members in order, no white space."""
    pairs = (f"{ccd_to_string(name)}:{_value(value)}" for name, value in members.items())
    return f"{{{','.join(pairs)}}}".encode()


def _value(value: object) -> str:
    if isinstance(value, str):
        return ccd_to_string(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def ccd_to_string(text: str) -> str:
    """A JSON string that escapes only what CCDToString (§5.8.1.1) escapes."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character >= " " else f"\\u{ord(character):04x}"
