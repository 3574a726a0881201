"""Client data: the JSON in which the browser says what it was asked to do (WebAuthn L3 §5.8.1).

`auth.py` needs the challenge before anything is verified, to look up the ceremony. For this reason
the JSON is parsed first (`UnverifiedClientData`) and its other members are read later
(`ClientData`). Every function raises BadCredential.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from core import strict_json
from core.relying_party.errors import BadCredential


class UnverifiedClientData(NamedTuple):
    """Parsed client data of which only `challenge` is known to have the right type."""

    raw: bytes
    members: Mapping[str, Any]
    challenge: str


class ClientData(NamedTuple):
    """CollectedClientData. `cross_origin` is true for every value but an absent or false one."""

    raw: bytes
    type: str
    challenge: str
    origin: str
    cross_origin: bool
    top_origin: str | None


def parse_client_data_json(raw: bytes) -> UnverifiedClientData:
    """Parse the bytes of clientDataJSON (§7.1 steps 5 and 6, §7.2 steps 8 and 9).

    The parser is stricter than the specification: it refuses a byte order mark, which no browser
    writes.
    """
    try:
        members = strict_json.loads(raw)
    except strict_json.StrictJSONError:
        raise BadCredential("client_data_malformed") from None
    if not isinstance(members, dict):
        raise BadCredential("client_data_malformed")
    return UnverifiedClientData(raw, members, require_member(members, "challenge", str))


def read_client_data(unverified: UnverifiedClientData) -> ClientData:
    """Read the members that the ceremonies compare. Members with other names mean nothing."""
    members = unverified.members
    top_origin = members.get("topOrigin")
    return ClientData(
        raw=unverified.raw,
        type=require_member(members, "type", str),
        challenge=unverified.challenge,
        origin=require_member(members, "origin", str),
        cross_origin=members.get("crossOrigin", False) is not False,
        top_origin=None if top_origin is None else str(top_origin),
    )


def require_client_data(
    data: ClientData,
    *,
    expected_type: str,
    expected_challenge: str,
    expected_origins: Collection[str],
) -> None:
    """Compare client data with what this service asked for."""
    # §7.1 step 7, §7.2 step 10.
    if data.type != expected_type:
        raise BadCredential("client_data_type")
    # §7.1 step 8, §7.2 step 11. Compared as text, because several texts decode to the same bytes.
    if not hmac.compare_digest(data.challenge.encode(), expected_challenge.encode()):
        raise BadCredential("challenge")
    # §7.1 step 9, §7.2 step 12.
    if data.origin not in expected_origins:
        raise BadCredential("origin")
    # §7.1 step 10, §7.2 step 13. This service never expects to be in a frame of another origin.
    if data.cross_origin:
        raise BadCredential("cross_origin")
    # §7.1 step 11, §7.2 step 14. For the same reason no top origin is expected.
    if data.top_origin is not None:
        raise BadCredential("top_origin")


def require_member(parent: Mapping[str, Any], name: str, kind: type) -> Any:
    """Return the member `name` of `parent`, which must be of type `kind`."""
    value = parent.get(name)
    if not isinstance(value, kind):
        raise BadCredential(f"member_{name}")
    return value
