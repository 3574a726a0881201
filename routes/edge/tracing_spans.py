"""The spans of a request: OpenTelemetry's HTTP conventions, and nothing that a person sent.

The one module that imports OpenTelemetry; routes/edge/tracing.py imports it when it is asked for.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
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

from core.measured import UNMATCHED, template_of
from routes.edge.boundary import TooLarge

SERVICE = "auth-example"
STOP_SECONDS = 5.0
METHODS = {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
# Asked every few seconds by machines: they would be most of what is sent.
PROBES = {"/livez", "/readyz", "/metrics"}

_traceparent = TraceContextTextMapPropagator()


class Tracing:
    """Makes spans and sends them in batches, from a thread of its own, to the OTLP endpoint."""

    def __init__(self, version: str) -> None:
        ours = Resource({SERVICE_NAME: SERVICE, SERVICE_VERSION: version})
        resource = ours.merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer(SERVICE, version)

    def around(self, app: ASGIApp) -> ASGIApp:
        """`app`, with a span for every request that is not a probe's."""

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["path"] in PROBES:
                await app(scope, receive, send)
                return
            with self._request(scope) as span:

                async def send_noted(message: Message) -> None:
                    if message["type"] == "http.response.start":
                        _note_status(span, message["status"])
                    await send(message)

                await app(scope, receive, send_noted)

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
            method, context=_caller_of(scope), kind=SpanKind.SERVER, attributes=attributes
        ) as span:
            try:
                yield span
            except Exception as error:
                # The boundary answers it: a body over the cap with 413, anything else with 500.
                _note_status(span, 413 if isinstance(error, TooLarge) else 500)
                raise
            finally:
                route = template_of(scope)
                if route != UNMATCHED:
                    span.update_name(f"{method} {route}")
                    span.set_attribute("http.route", route)

    @contextmanager
    def _span(self, name: str, **options: Any) -> Iterator[Span]:
        # An exception's message may hold what a person sent: its type is enough.
        options = {"record_exception": False, "set_status_on_exception": False, **options}
        with self._tracer.start_as_current_span(name, **options) as span:
            try:
                yield span
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                raise

    def follow(self, part: object, **names: str) -> None:
        """Have each named method of `part` be a child span, inside a request that has one."""
        for method, name in names.items():
            setattr(part, method, self._followed(getattr(part, method), name))

    def _followed(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(call):

            @wraps(call)
            async def followed_later(*given: Any, **named: Any) -> Any:
                if not _in_a_request():
                    return await call(*given, **named)
                with self._span(name):
                    return await call(*given, **named)

            return followed_later

        @wraps(call)
        def followed(*given: Any, **named: Any) -> Any:
            if not _in_a_request():
                return call(*given, **named)
            with self._span(name):
                return call(*given, **named)

        return followed

    async def stop(self) -> None:
        """Send what waits; a collector that does not answer is given STOP_SECONDS."""
        # A daemon: the process must not wait for it, either.
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        await asyncio.to_thread(last.join, STOP_SECONDS)


def _in_a_request() -> bool:
    return trace.get_current_span().get_span_context().is_valid


def _caller_of(scope: Scope) -> Context:
    """The caller's `traceparent`. Not its `tracestate`, which is any text of a stranger's."""
    found = {b"traceparent": b"", **dict(scope["headers"])}[b"traceparent"]
    return _traceparent.extract({"traceparent": found.decode("latin-1")}, Context())


def _note_status(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(StatusCode.ERROR)
