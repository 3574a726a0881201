"""`/metrics` for Prometheus, which asks the service itself and not the proxy before it."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.exceptions import HTTPException

from services.metrics import Metrics

router = APIRouter(include_in_schema=False)
# RFC 7239 has the second; every proxy that this service can stand behind writes the first.
SIGNS_OF_A_PROXY = ("x-forwarded-for", "forwarded")


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """The numbers of this process. Whoever comes through a proxy finds nothing here.

    Whoever can read them before and after a login begun for an email learns whether it has an
    account. Proxies keep them from the public; this is for those that were not told to.
    """
    if any(sign in request.headers for sign in SIGNS_OF_A_PROXY):
        raise HTTPException(404)
    text = cast(Metrics, request.app.state.metrics).text()
    return Response(text, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})
