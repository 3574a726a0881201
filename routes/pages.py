"""The demo page, and Swagger UI: static files of this service, none from the internet.

All files are read and compressed once, at start. A page names its files under `/static/VERSION/`,
where VERSION is a hash of all of them: browsers keep these for good, and the files of two releases
never run together. Scripts import one another by relative paths, so they stay in their version.
"""

from __future__ import annotations

import gzip
import mimetypes
import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).resolve().parent.parent / "static"
COMPRESSED = {".css", ".html", ".js", ".svg"}
# Pages, and files without the current version: browsers ask again on every visit.
ASK_AGAIN = "no-cache"
# Files of the current version (RFC 8246).
KEEP = "public, max-age=31536000, immutable"
VERSIONED = re.compile(r"([0-9a-f]{12})/(.+)", re.DOTALL)
LINK = re.compile(rb'"/static/(?=[^"])')

router = APIRouter(include_in_schema=False)
# A router of its own, because production does not serve it (Settings.serves_docs).
docs = APIRouter(include_in_schema=False)


class Content(NamedTuple):
    """One file: its bytes, the same compressed (None: not worth it), their type and hash."""

    plain: bytes
    packed: bytes | None
    media_type: str
    digest: str

    @classmethod
    def of(cls, name: str, plain: bytes) -> Content:
        """Compress the content of a file of this name."""
        media_type = mimetypes.guess_type(name)[0] or "text/plain"
        packed = gzip.compress(plain, mtime=0) if Path(name).suffix in COMPRESSED else None
        return cls(plain, packed, media_type, sha256(plain).hexdigest()[:32])

    def response(self, headers: Headers, cache_control: str) -> Response:
        """The answer to a request with these headers: 200, or 304 if the client has it."""
        packed = self.packed if _accepts_gzip(headers) else None
        etag = f'"{self.digest}{"-gzip" if packed else ""}"'
        fields = {"Cache-Control": cache_control, "ETag": etag, "Vary": "Accept-Encoding"}
        if etag in re.findall(r'"[^"]*"', headers.get("if-none-match", "")):
            return Response(status_code=304, headers=fields)
        if packed:
            fields["Content-Encoding"] = "gzip"
        return Response(packed or self.plain, headers=fields, media_type=self.media_type)


@cache
def files() -> dict[str, Content]:
    """Every static file by its path under `static/`. They are read at the first call."""
    paths = sorted(path for path in STATIC.rglob("*") if path.is_file())
    names = {path.relative_to(STATIC).as_posix(): path for path in paths}
    return {name: Content.of(name, path.read_bytes()) for name, path in names.items()}


@cache
def version() -> str:
    """A hash of all static files and their names."""
    lines = "".join(f"{name} {content.digest}\n" for name, content in files().items())
    return sha256(lines.encode()).hexdigest()[:12]


@cache
def _page(name: str) -> Content:
    """A page whose links to static files name their version."""
    return Content.of(name, LINK.sub(b'"/static/%s/' % version().encode(), files()[name].plain))


def _accepts_gzip(headers: Headers) -> bool:
    """Whether the client named gzip, and not with the weight 0 (RFC 9110 §12.5.3)."""
    for item in headers.get("accept-encoding", "").lower().split(","):
        coding, _, weight = item.replace(" ", "").partition(";")
        if coding == "gzip":
            return not re.fullmatch(r"q=0(\.0*)?", weight)
    return False


class CompressedFiles(StaticFiles):
    """`/static`, from memory. A file under another release's version is served, but not kept."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The answer for a path below `/static`. Raises HTTPException 404 and 405."""
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        found = VERSIONED.fullmatch(path)
        named, name = found.groups() if found else ("", path)
        content = files().get(name)
        if content is None:
            raise HTTPException(404)
        return content.response(Headers(scope=scope), KEEP if named == version() else ASK_AGAIN)


def static_files() -> CompressedFiles:
    """The application to mount at `/static`. Reads and compresses all files now."""
    version()
    return CompressedFiles(directory=STATIC)


@router.get("/")
async def demo_page(request: Request) -> Response:
    """The page on which people register and log in."""
    return _page("index.html").response(request.headers, ASK_AGAIN)


@docs.get("/docs")
async def docs_page(request: Request) -> Response:
    """Swagger UI, from vendored files: it works without the internet."""
    return _page("docs.html").response(request.headers, ASK_AGAIN)
