"""The spans of a request, by OpenTelemetry's HTTP conventions. They hold nothing a client sent.

Only this module imports OpenTelemetry, and routes/edge/tracing.py imports this module only if
traces are asked for.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import (
    SERVICE_NAME,
    SERVICE_VERSION,
    OTELResourceDetector,
    Resource,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.clock import Clock
from core.database.interface import Database
from core.relying_party.ceremonies import RelyingParty
from core.settings import Settings
from routes.edge.boundary import TooLarge
from routes.edge.request_metrics import UNMATCHED, template_of
from routes.edge.traced_parts import TracedDatabase, TracedRelyingParty

SERVICE = "auth-example"
STOP_SECONDS = 5.0
METHODS = {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
# Probes request these paths every few seconds, and would make most of the spans.
PROBES = {"/livez", "/readyz", "/metrics"}

_traceparent = TraceContextTextMapPropagator()


class Tracing:
    """Makes spans, and sends them in batches from its own thread to the OTLP endpoint."""

    def __init__(self, version: str) -> None:
        defaults = Resource({SERVICE_NAME: SERVICE, SERVICE_VERSION: version})
        resource = defaults.merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer(SERVICE, version)

    def around(self, app: ASGIApp) -> ASGIApp:
        """`app`, with a span for every request but those to PROBES."""

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["path"] in PROBES:
                await app(scope, receive, send)
                return
            with self._request(scope) as span:

                async def send_and_note(message: Message) -> None:
                    if message["type"] == "http.response.start":
                        _note_status(span, message["status"])
                    await send(message)

                await app(scope, receive, send_and_note)

        return traced

    @contextmanager
    def _request(self, scope: Scope) -> Iterator[Span]:
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        attributes = {
            "http.request.method": method,
            "url.scheme": scope["scheme"],
            "request.id": scope["state"]["request_id"],
        }
        with self._span(
            method, context=_parent_of(scope), kind=SpanKind.SERVER, attributes=attributes
        ) as span:
            try:
                yield span
            except Exception as error:
                # The EdgeMiddleware answers it: 413 for a body over the cap, 500 for the rest.
                _note_status(span, 413 if isinstance(error, TooLarge) else 500)
                raise
            finally:
                route = template_of(scope)
                if route != UNMATCHED:
                    span.update_name(f"{method} {route}")
                    span.set_attribute("http.route", route)

    @contextmanager
    def _span(self, name: str, **options: Any) -> Iterator[Span]:
        # The message of an exception may hold what a client sent, so only its type is noted.
        options = {"record_exception": False, "set_status_on_exception": False, **options}
        with self._tracer.start_as_current_span(name, **options) as span:
            try:
                yield span
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                raise

    @contextmanager
    def child_span(self, name: str) -> Iterator[None]:
        """A child span inside a request that has a span; nothing outside of one."""
        if not trace.get_current_span().get_span_context().is_valid:
            yield
            return
        with self._span(name):
            yield

    def database(self, db: Database) -> Database:
        """`db`, whose reads and writes are child spans."""
        return TracedDatabase(db, self.child_span)

    def relying_party(self, settings: Settings, clock: Clock) -> RelyingParty:
        """A relying party whose verifications are child spans."""
        return TracedRelyingParty(settings, clock, self.child_span)

    async def stop(self) -> None:
        """Send the spans that wait, for at most STOP_SECONDS if the collector does not answer."""
        # A daemon thread: the end of the process must not wait for it.
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        await asyncio.to_thread(last.join, STOP_SECONDS)


def _parent_of(scope: Scope) -> Context:
    """The client's `traceparent`, but not its `tracestate`, which may hold any text."""
    found = {b"traceparent": b"", **dict(scope["headers"])}[b"traceparent"]
    return _traceparent.extract({"traceparent": found.decode("latin-1")}, Context())


def _note_status(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(StatusCode.ERROR)
