"""`/metrics` for Prometheus, which must ask the service itself and not a proxy before it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.exceptions import HTTPException

from routes.context import ServiceParts

router = APIRouter(include_in_schema=False)
# Every proxy that this service can stand behind writes the first; RFC 7239 defines the second.
PROXY_HEADERS = ("x-forwarded-for", "forwarded")


@router.get("/metrics")
async def metrics(request: Request, service: ServiceParts) -> Response:
    """The metrics of this process; 404 for a request that came through a proxy.

    Whoever reads the counters before and after a login begun for an email learns whether the email
    has an account. A proxy should not pass this path on; the 404 is for proxies that do.
    """
    if any(header in request.headers for header in PROXY_HEADERS):
        raise HTTPException(404)
    return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})
