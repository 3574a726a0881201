"""Switches traces on if the usual OTEL_* variables ask for them.

Without them no package of OpenTelemetry is imported. The packages are those of
requirements-otel.txt. routes/edge/tracing_spans.py says what a span holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.errors import ConfigurationError

if TYPE_CHECKING:
    from routes.edge.tracing_spans import Tracing

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"


def open_tracing(environment: Mapping[str, str], version: str) -> Tracing | None:
    """Tracing as `environment` asks for it, or None. Raises ConfigurationError.

    The exporter itself reads the rest (headers, certificates, sampler) from `os.environ`.
    """
    if not is_wanted(environment):
        return None
    for name in PROTOCOLS:
        if environment.get(name, "") not in ("", PROTOCOL):
            raise ConfigurationError(f"{name}: only {PROTOCOL} is spoken here")
    try:
        from routes.edge.tracing_spans import Tracing
    except ImportError:
        raise ConfigurationError(
            "OTEL_* variables ask for traces, whose packages are missing: "
            "pip install -r requirements-otel.txt, or set OTEL_SDK_DISABLED=true"
        ) from None
    return Tracing(version)


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether an endpoint or an exporter is named, and tracing is not switched off.

    Raises ConfigurationError for an exporter that this service does not have.
    """
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip()
    if exporter not in ("", "otlp", "none"):
        raise ConfigurationError("OTEL_TRACES_EXPORTER: otlp or none")
    return exporter == "otlp" or (
        exporter == "" and any(environment.get(name) for name in ENDPOINTS)
    )
