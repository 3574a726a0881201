"""`/metrics` for Prometheus, which must ask the service directly and not through the proxy."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.exceptions import HTTPException

from routes.context import ServiceParts

router = APIRouter(include_in_schema=False)
# Every proxy that this service can stand behind sends the first; RFC 7239 defines the second.
PROXY_HEADERS = ("x-forwarded-for", "forwarded")


@router.get("/metrics")
async def metrics(request: Request, service: ServiceParts) -> Response:
    """The metrics of this server; 404 for a request that came through a proxy.

    No counter tells a known e-mail address from an unknown one, but strangers need not know how
    much a service is used. The proxies of deploy/ do not let this path through. The 404 protects
    behind a proxy that was set up without that rule.
    """
    if any(header in request.headers for header in PROXY_HEADERS):
        raise HTTPException(404)
    return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})
