"""Assembles the service from its parts, routers and edge: `uvicorn main:app` serves it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from core.clock import Clock, SystemClock
from core.errors import ConfigurationError
from core.process import (
    banner,
    exit_with_zero_after_sigterm,
    require_shared_state,
    tune_garbage_collector,
    worker_count,
)
from core.settings import Settings
from routes import health, login, metrics, pages, registration, users, well_known
from routes.edge.application import Application, application
from routes.edge.tracing import open_tracing
from routes.parts import Parts
from routes.problems import DocumentedApi, install_problem_handlers
from routes.strict_router import install
from services.metrics_files import prepare_directory

if TYPE_CHECKING:
    from routes.edge.tracing_spans import Tracing

VERSION = "1.0.0"
DESCRIPTION = "Passkey registration and login, and the JWTs that your services verify."
# One line a feature.
ROUTERS = (
    login.router,
    registration.router,
    users.router,
    pages.router,
    well_known.router,
    health.router,
    metrics.router,
)

Hook = Callable[[], None]


def create_app(
    settings: Settings,
    clock: Clock | None = None,
    tracing: Tracing | None = None,
    after_start: Hook | None = None,
    after_stop: Hook | None = None,
) -> Application:
    """The service under `settings`. Nothing is opened before its lifespan starts.

    after_start: called once the service is ready; after_stop: called once it stopped in order.
    """
    parts = Parts.build(settings, clock or SystemClock(), tracing, VERSION)

    @asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        async with parts.running():
            sys.stderr.write(banner(settings))
            if after_start:
                after_start()
            yield
        if after_stop:
            after_stop()

    api = _fastapi(settings, parts)
    routers = (*ROUTERS, pages.docs) if settings.serves_docs else ROUTERS
    strict_routes = install(api, routers)
    api.mount("/static", pages.static_files(), name="static")
    return application(api, strict_routes, parts, lifespan)


def _fastapi(settings: Settings, parts: Parts) -> FastAPI:
    api = DocumentedApi(
        title="Auth Example",
        version=VERSION,
        description=DESCRIPTION,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if settings.serves_docs else None,
        generate_unique_id_function=lambda route: route.name,
        # FastAPI's spans would hold paths, queries and messages of exceptions. The spans of
        # routes/edge/tracing_spans.py hold none of these.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    api.state.parts = parts
    install_problem_handlers(api)
    return api


def _default_app() -> Application:
    """The application of this process, which serves and does nothing else."""
    stopped = threading.Event()
    try:
        settings = Settings.from_environment()
        require_shared_state(settings, worker_count(os.environ, sys.argv))
        prepare_directory()
        served = create_app(
            settings,
            tracing=open_tracing(os.environ, VERSION),
            after_start=tune_garbage_collector,
            after_stop=stopped.set,
        )
    except ConfigurationError as error:
        # One sentence for the operator, not a traceback.
        raise SystemExit(f"The service does not start. {error}") from None
    exit_with_zero_after_sigterm(stopped.is_set)
    return served


app = _default_app()
