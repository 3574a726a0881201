"""What browsers and password managers look up about this relying party (RFC 8615)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.exceptions import HTTPException

from routes.context import ServiceParts

router = APIRouter(include_in_schema=False)


@router.get("/.well-known/webauthn")
async def related_origins(service: ServiceParts) -> dict[str, list[str]]:
    """The origins beyond RP_ID that may use its passkeys (WebAuthn L3 §5.11); 404 without any."""
    related = service.settings.related_origins
    if not related:
        raise HTTPException(404)
    return {"origins": list(related)}


@router.get("/.well-known/passkey-endpoints")
async def passkey_endpoints(service: ServiceParts) -> dict[str, str]:
    """Where to enrol a passkey (W3C Passkey Endpoints §2). There is no page to manage them yet."""
    return {"enroll": f"{service.settings.origin[0]}/#register"}
