"""Puts the service together, and decides nothing: `uvicorn main:app` serves it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.middleware.cors import CORSMiddleware
from fastapi.staticfiles import StaticFiles
from fastapi.telemetry import TelemetryConfig
from starlette.datastructures import State
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from auth import Passkeys
from core import garbage
from core.banner import banner
from core.clock import Clock, SystemClock
from core.config import Settings
from core.database import Database
from core.decoys import Decoys
from core.errors import ConfigurationError
from core.exit_code import end_well_on_sigterm
from core.logs import LogFile
from core.measured import Requests
from core.migrate import require_newest, upgrade
from core.postgres import PostgresDatabase
from core.relying_party import RelyingParty
from core.sqlite import SqliteDatabase
from core.tokens import Tokens
from core.workers import require_shared_state, workers
from routes import health, login, metrics, pages, registration, users, well_known
from routes.doors import Doors
from routes.edge.access_log import AccessLog
from routes.edge.boundary import Boundary, Observe
from routes.edge.client_address import TrustedProxies
from routes.edge.tracing import open_tracing
from routes.strict_route import as_problems, install_error_handlers
from services.access import Access
from services.health import Health
from services.metrics import Metrics
from services.shipping import Shipping
from services.throttle import Throttle
from stores.challenges import Challenges, MemoryChallenges
from stores.counters import Counters, MemoryCounters
from stores.redis import open_redis

if TYPE_CHECKING:
    from routes.edge.tracing_spans import Tracing

VERSION = "1.0.0"
MAX_BODY_BYTES = 32 * 1024
# FastAPI's own would send paths, queries and messages of exceptions, and stand between the boundary
# and the socket, whose address is the caller's. routes/edge/tracing_spans.py does neither.
TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "auto_configure": False,
}
DESCRIPTION = "Passkey registration and login, and the JWTs that your services verify."


class Service(FastAPI):
    """FastAPI with the boundary outside of everything it builds itself."""

    def build_middleware_stack(self) -> ASGIApp:
        """Outside the boundary nothing; inside it the doors, which answer for their own errors."""
        rest = ExceptionMiddleware(
            AsyncExitStackMiddleware(self.router), cast(dict[Any, Any], self.exception_handlers)
        )
        app: ASGIApp = Doors(self.router.routes, rest)
        for middleware in reversed(self.user_middleware):
            app = middleware.cls(app, *middleware.args, **middleware.kwargs)
        https = all(origin.startswith("https:") for origin in self.state.settings.origin)
        if self.state.tracing:
            app = self.state.tracing.around(app)
        return Boundary(app, https=https, max_body=MAX_BODY_BYTES, observe=self.state.observe)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # As Starlette, without FastAPI's own look at the environment for every request.
        scope["app"] = self
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        await self.middleware_stack(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The document, with refusals under the media type they have."""
        return as_problems(super().openapi())


def create_app(
    settings: Settings, clock: Clock | None = None, tracing: Tracing | None = None
) -> FastAPI:
    """The service under `settings`. Nothing is opened before its lifespan starts."""
    clock = clock or SystemClock()
    app = Service(
        title="Auth Example",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=_lifespan,
        redirect_slashes=False,
        telemetry=TELEMETRY,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if settings.serves_docs else None,
        generate_unique_id_function=lambda route: route.name,
    )
    _assemble(app, settings, clock)
    _make_observable(app, settings, tracing)
    for module in (login, registration, users):
        # As they are: an included router is looked through anew for every request.
        app.router.routes.extend(module.router.routes)
    for module in (pages, well_known, health, metrics):
        app.include_router(module.router)
    if settings.serves_docs:
        app.include_router(pages.docs)
    app.mount("/static", StaticFiles(directory=pages.STATIC), name="static")
    install_error_handlers(app)
    _allow_origins(app, settings)
    return app


def _assemble(app: FastAPI, settings: Settings, clock: Clock) -> None:
    db = _database(settings)
    challenges, counters = _shared_state(settings, clock)
    tokens = Tokens(settings, clock)
    # Starlette's own looks every part up in a function.
    app.state = cast(State, SimpleNamespace())
    app.state.settings, app.state.stopped = settings, False
    # The process is not ours alone, unless it is: `_default_app`.
    app.state.settle = lambda: None
    app.state.clock = clock
    app.state.db = db
    app.state.log_file = LogFile(settings.log_file)
    app.state.proxies = TrustedProxies(settings.trusted_proxies)
    app.state.challenges = challenges
    throttle = Throttle(settings, db, counters)
    app.state.throttle = throttle
    app.state.shipping = Shipping(settings, db)
    app.state.health = Health(db, challenges, app.state.log_file, app.state.shipping)
    app.state.access = Access(db, tokens, throttle)
    app.state.passkeys = Passkeys(
        db=db,
        challenges=challenges,
        relying_party=RelyingParty(settings, clock),
        tokens=tokens,
        decoys=Decoys(settings),
        danger_reveal_unknown_email=settings.danger_reveal_unknown_email,
    )


def _make_observable(app: FastAPI, settings: Settings, tracing: Tracing | None) -> None:
    state, requests = app.state, Requests()
    state.observe = requests.observe
    if settings.access_log:
        state.observe = _both(requests.observe, AccessLog(state.proxies).observe)
    state.metrics = Metrics(
        *(state.db, state.challenges, state.log_file),
        requests=requests,
        throttle=state.throttle,
        labels={"version": VERSION, "database": settings.database_url.partition(":")[0]},
    )
    state.tracing = tracing
    if tracing:
        judge = state.passkeys.relying_party
        names = {"read": "database read", "write": "database write", "append": "database write"}
        tracing.follow(state.db, **names)
        tracing.follow(judge, verify_registration="verify registration")
        tracing.follow(judge, verify_authentication="verify login")


def _both(first: Observe, second: Observe) -> Observe:
    def observe(scope: Scope, answer: Message | None, seconds: float) -> None:
        first(scope, answer, seconds)
        second(scope, answer, seconds)

    return observe


def _database(settings: Settings) -> Database:
    if settings.database_url.startswith("sqlite:"):
        return SqliteDatabase(settings.database_url, upgrade)
    return PostgresDatabase(settings.database_url, require_newest, settings.database_pool_size)


def _shared_state(settings: Settings, clock: Clock) -> tuple[Challenges, Counters]:
    if settings.redis_url:
        return open_redis(settings.redis_url)
    return MemoryChallenges(clock, settings.pending_ceremonies), MemoryCounters(clock)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state = app.state
    async with AsyncExitStack() as ends:
        # From the last to the first, each whatever became of the others: what the database still
        # writes must find the log open.
        state.log_file.start()
        ends.callback(state.log_file.stop)
        if state.tracing:
            ends.push_async_callback(state.tracing.stop)
        ends.push_async_callback(state.db.stop)
        ends.push_async_callback(state.challenges.stop)
        await state.db.start()
        await state.passkeys.start()
        state.shipping.start()
        ends.push_async_callback(state.shipping.stop)
        learning = asyncio.create_task(state.passkeys.keep_learning())
        ends.callback(learning.cancel)
        sys.stderr.write(banner(state.settings))
        state.settle()
        yield
    state.stopped = True


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
        settings = Settings.from_environment()
        require_shared_state(settings, workers(os.environ, sys.argv))
        served = create_app(settings, tracing=open_tracing(os.environ, VERSION))
    except ConfigurationError as error:
        # One sentence for the operator, not a traceback.
        raise SystemExit(f"The service does not start. {error}") from None
    end_well_on_sigterm(lambda: served.state.stopped)
    served.state.settle = garbage.settle
    return served


app = _default_app()
