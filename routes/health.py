"""Probes: is the process alive, and can it do its work?"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from routes.context import ServiceParts

router = APIRouter(include_in_schema=False)


@router.get("/livez")
async def livez() -> dict[str, str]:
    """200 as long as the process answers. Nothing else is checked."""
    return {"status": "alive"}


@router.get("/readyz")
async def readyz(service: ServiceParts) -> JSONResponse:
    """Whether ceremonies can be held: 200 or 503, and the state of each part."""
    ready, parts = await service.health.report()
    status = "ready" if ready else "not ready"
    return JSONResponse({"status": status, "parts": parts}, 200 if ready else 503)
