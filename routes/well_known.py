"""What browsers and password managers look up about this relying party (RFC 8615)."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException

from core.settings import Settings

router = APIRouter(include_in_schema=False)


@router.get("/.well-known/webauthn")
async def related_origins(request: Request) -> dict[str, list[str]]:
    """The origins beyond RP_ID that may use its passkeys (WebAuthn L3 §5.11); 404 without any."""
    related = _settings(request).related_origins
    if not related:
        raise HTTPException(404)
    return {"origins": list(related)}


@router.get("/.well-known/passkey-endpoints")
async def passkey_endpoints(request: Request) -> dict[str, str]:
    """Where one gets a passkey (W3C Passkey Endpoints §2); there is no page yet to manage them."""
    return {"enroll": f"{_settings(request).origin[0]}/#register"}


def _settings(request: Request) -> Settings:
    return cast(Settings, request.app.state.settings)
