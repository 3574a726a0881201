"""The layers of the application: the edge, traces, CORS, the strict routes, and FastAPI within."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from core.settings import Settings
from routes.edge.access_log import AccessLog
from routes.edge.boundary import EdgeMiddleware, Observe
from routes.parts import Parts

Lifespan = Callable[[Any], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Application:
    """What the server runs. A request passes the edge, then a strict route, or else `api`.

    lifespan: opens and closes the parts of the service.
    """

    api: FastAPI
    edge: ASGIApp
    lifespan: Lifespan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # As Starlette does: an endpoint finds the parts by `request.app`.
        scope["app"] = self.api
        await self.edge(scope, receive, send)


def application(
    api: FastAPI, strict_routes: Sequence[BaseRoute], parts: Parts, lifespan: Lifespan
) -> Application:
    """The application around `api`, built from the innermost layer to the outermost."""
    app: ASGIApp = Router(strict_routes, redirect_slashes=False, default=api, lifespan=lifespan)
    if parts.settings.cors_origins:
        app = _cors(app, parts.settings)
    if parts.tracing:
        app = parts.tracing.around(app)
    observers: list[Observe] = [parts.requests.observe]
    if parts.settings.access_log:
        observers.append(AccessLog(parts.proxies).observe)
    https = all(origin.startswith("https:") for origin in parts.settings.web_origins)
    return Application(api, EdgeMiddleware(app, https=https, observers=observers), lifespan)


def _cors(app: ASGIApp, settings: Settings) -> ASGIApp:
    return CORSMiddleware(
        app,
        allow_origins=list(settings.cors_origins),
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "X-Request-ID"],
        expose_headers=["X-Request-ID", "Retry-After"],
        max_age=600,
    )
