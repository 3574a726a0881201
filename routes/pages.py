"""The demo page and Swagger UI: static files, served from here and from nowhere else."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

STATIC = Path(__file__).resolve().parent.parent / "static"
# Looked at again on every visit: a new version must not run half old.
HEADERS = {"Cache-Control": "no-cache"}

router = APIRouter(include_in_schema=False)
# A router of its own: production has no use for it.
docs = APIRouter(include_in_schema=False)


@router.get("/")
async def demo_page() -> FileResponse:
    """The page people sign in on."""
    return FileResponse(STATIC / "index.html", headers=HEADERS)


@docs.get("/docs")
async def docs_page() -> FileResponse:
    """Swagger UI, from vendored files: it works with no internet."""
    return FileResponse(STATIC / "docs.html", headers=HEADERS)
