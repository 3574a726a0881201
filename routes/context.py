"""What an endpoint knows of its request: the service's parts, and who the caller is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from audit import Caller
from core.encoding import escape_unprintable
from routes.parts import Parts

MAX_USER_AGENT = 512


@dataclass(slots=True)
class RequestContext:
    """One request, as the endpoint of a StrictRoute sees it.

    service: the parts of the running service; caller: where the request came from, as the audit
    trail keeps it; content_type: of its body; response_headers: for the response to a success.
    """

    request: Request
    service: Parts
    caller: Caller
    content_type: str
    response_headers: dict[str, str] = field(default_factory=dict)


def service_of(request: Request) -> Parts:
    """The parts of the service that answers `request`."""
    parts: Parts = request.scope["app"].state.parts
    return parts


async def _service(request: Request) -> Parts:
    # Async, because FastAPI runs any other dependency in a thread.
    return service_of(request)


# The same for an endpoint of a plain APIRouter: `async def endpoint(service: ServiceParts)`.
ServiceParts = Annotated[Parts, Depends(_service)]


def context_of(request: Request) -> RequestContext:
    """The context of `request`, which has passed the EdgeMiddleware."""
    service, edge = service_of(request), request.scope["state"]
    agent, content_type, forwarded = b"", b"", []
    # One pass over the raw headers costs less than one look-up in `request.headers`.
    for name, value in request.scope["headers"]:
        if name == b"user-agent":
            agent = agent or value
        elif name == b"content-type":
            content_type = content_type or value
        elif name == b"x-forwarded-for":
            forwarded.append(value.decode("latin-1"))
    caller = Caller(
        service.proxies.client_of(edge["peer"], forwarded),
        _printable(agent.decode("latin-1")),
        edge["request_id"],
        service.clock.now(),
    )
    return RequestContext(request, service, caller, content_type.decode("latin-1"))


def _printable(text: str) -> str:
    """At most MAX_USER_AGENT characters, safe to show in a terminal."""
    return escape_unprintable(text[:MAX_USER_AGENT])[:MAX_USER_AGENT]
