"""Puts the service together, and decides nothing: `uvicorn main:app` serves it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

from auth import Passkeys
from core.banner import banner
from core.boundary import Boundary
from core.caller_address import TrustedProxies
from core.clock import Clock, SystemClock
from core.config import Settings
from core.decoys import Decoys
from core.errors import ConfigurationError
from core.logs import LogFile
from core.migrate import upgrade
from core.relying_party import RelyingParty
from core.sqlite import SqliteDatabase
from core.tokens import Tokens
from routes import login, pages, registration, users
from routes.http import as_problems, install_error_handlers
from services.access import Access
from services.throttle import Throttle
from stores.challenges import MemoryChallenges
from stores.counters import MemoryCounters

VERSION = "1.0.0"
MAX_BODY_BYTES = 32 * 1024
DESCRIPTION = "Passkey registration and login, and the JWTs that your services verify."


class Service(FastAPI):
    """FastAPI with the boundary outside of everything it builds itself."""

    def build_middleware_stack(self) -> ASGIApp:
        https = all(origin.startswith("https:") for origin in self.state.settings.origin)
        return Boundary(super().build_middleware_stack(), https=https)

    def openapi(self) -> dict[str, Any]:
        """The document, with refusals under the media type they have."""
        return as_problems(super().openapi())


def create_app(settings: Settings, clock: Clock | None = None) -> FastAPI:
    """The service under `settings`. Nothing is opened before its lifespan starts."""
    clock = clock or SystemClock()
    app = Service(
        title="Auth Example",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=_lifespan,
        redirect_slashes=False,
        max_body_size=MAX_BODY_BYTES,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    _assemble(app, settings, clock)
    for module in (registration, login, users, pages):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=pages.STATIC), name="static")
    install_error_handlers(app)
    _allow_origins(app, settings)
    return app


def _assemble(app: FastAPI, settings: Settings, clock: Clock) -> None:
    db = SqliteDatabase(settings.database_url, upgrade)
    tokens = Tokens(settings, clock)
    app.state.settings = settings
    app.state.clock = clock
    app.state.db = db
    app.state.log_file = LogFile(settings.log_file)
    app.state.proxies = TrustedProxies(settings.trusted_proxies)
    app.state.challenges = MemoryChallenges(clock, settings.pending_ceremonies)
    throttle = Throttle(settings, db, MemoryCounters(clock), clock)
    app.state.throttle = throttle
    app.state.access = Access(db, tokens, throttle)
    app.state.passkeys = Passkeys(
        db=db,
        challenges=app.state.challenges,
        relying_party=RelyingParty(settings, clock),
        tokens=tokens,
        decoys=Decoys(settings),
        danger_reveal_unknown_email=settings.danger_reveal_unknown_email,
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state = app.state
    state.log_file.start()
    try:
        await state.db.start()
        await state.passkeys.start()
        sys.stderr.write(banner(state.settings))
        yield
    finally:
        await state.db.stop()
        state.log_file.stop()


def _allow_origins(app: FastAPI, settings: Settings) -> None:
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Retry-After"],
            max_age=600,
        )


def _default_app() -> FastAPI:
    try:
        return create_app(Settings.from_environment())
    except ConfigurationError as error:
        # One sentence for the operator, not a traceback.
        raise SystemExit(f"The service does not start. {error}") from None


app = _default_app()
