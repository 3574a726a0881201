"""What browsers, phones and password managers look up about this relying party (RFC 8615)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.exceptions import HTTPException

from core.settings.hosts import fingerprint_of_app
from routes.context import ServiceParts

router = APIRouter(include_in_schema=False)
# What the site allows the apps: to use its passkeys, and to open its links, which Android's
# documentation of passkeys asks for, too.
ANDROID_RELATIONS = [
    "delegate_permission/common.handle_all_urls",
    "delegate_permission/common.get_login_creds",
]


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
    return {"enroll": f"{service.settings.web_origins[0]}/#register"}


@router.get("/.well-known/assetlinks.json")
async def android_apps(service: ServiceParts) -> list[dict[str, Any]]:
    """The Android apps that may use the passkeys (Digital Asset Links); 404 without any.

    Each package may be signed by any certificate that ORIGIN names.
    """
    settings = service.settings
    if not settings.android_packages:
        raise HTTPException(404)
    prints = [fingerprint_of_app(origin).hex(":").upper() for origin in settings.app_origins]
    return [
        {
            "relation": ANDROID_RELATIONS,
            "target": {
                "namespace": "android_app",
                "package_name": package,
                "sha256_cert_fingerprints": prints,
            },
        }
        for package in settings.android_packages
    ]


@router.get("/.well-known/apple-app-site-association")
async def apple_apps(service: ServiceParts) -> dict[str, Any]:
    """The apps of Apple's systems that may use the passkeys (Associated Domains); 404 without."""
    apps = service.settings.apple_app_ids
    if not apps:
        raise HTTPException(404)
    return {"webcredentials": {"apps": list(apps)}}
