"""Probes: is the process alive, and can it do its work?"""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.health import Health

router = APIRouter(include_in_schema=False)


@router.get("/livez")
async def livez() -> dict[str, str]:
    """The process answers; nothing else is looked at."""
    return {"status": "alive"}


@router.get("/readyz")
async def readyz(request: Request) -> JSONResponse:
    """Whether ceremonies can be held: 200 or 503, and what each part says."""
    ready, parts = await cast(Health, request.app.state.health).report()
    status = "ready" if ready else "not ready"
    return JSONResponse({"status": status, "parts": parts}, 200 if ready else 503)
