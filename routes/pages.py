"""The demo page, and Swagger UI: static files of this service, none from the internet."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

STATIC = Path(__file__).resolve().parent.parent / "static"
# Browsers ask again on every visit: old and new files of a release must not run together.
HEADERS = {"Cache-Control": "no-cache"}

router = APIRouter(include_in_schema=False)
# A router of its own, because production does not serve it (Settings.serves_docs).
docs = APIRouter(include_in_schema=False)


@router.get("/")
async def demo_page() -> FileResponse:
    """The page on which people register and log in."""
    return FileResponse(STATIC / "index.html", headers=HEADERS)


@docs.get("/docs")
async def docs_page() -> FileResponse:
    """Swagger UI, from vendored files: it works without the internet."""
    return FileResponse(STATIC / "docs.html", headers=HEADERS)
