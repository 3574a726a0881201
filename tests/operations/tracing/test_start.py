"""What tracing asks for before it starts: packages, and a protocol that is spoken."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from routes.edge.tracing import is_wanted, open_tracing
from tests.support.process import ROOT

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
# Found first, and gives what a missing package gives.
MISSING = "import sys\nsys.modules['opentelemetry.sdk.trace'] = None\n"

WANTED = [
    ENDPOINT,
    {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"},
    {"OTEL_TRACES_EXPORTER": "otlp"},
    {**ENDPOINT, "OTEL_SDK_DISABLED": "false"},
]
UNWANTED: list[dict[str, str]] = [
    {},
    {"OTEL_SERVICE_NAME": "named"},
    {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
    {**ENDPOINT, "OTEL_SDK_DISABLED": "true"},
    {**ENDPOINT, "OTEL_SDK_DISABLED": " TRUE "},
    {**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"},
]
REFUSED = [
    ({"OTEL_TRACES_EXPORTER": "console"}, "OTEL_TRACES_EXPORTER"),
    ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL"),
    (
        {**ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"},
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    ),
]


@pytest.mark.parametrize("variables", WANTED)
def test_an_endpoint_or_an_exporter_switches_traces_on(variables: dict[str, str]) -> None:
    assert is_wanted(variables)


@pytest.mark.parametrize("variables", UNWANTED)
def test_without_them_or_switched_off_there_are_none(variables: dict[str, str]) -> None:
    assert not is_wanted(variables)
    assert open_tracing(variables, "1.0.0") is None


@pytest.mark.parametrize(("variables", "name"), REFUSED)
def test_what_is_not_spoken_is_refused(variables: dict[str, str], name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        open_tracing(variables, "1.0.0")


def start(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "sitecustomize.py").write_text(MISSING)
    return subprocess.run(
        [sys.executable, "-m", "uvicorn", "main:app", "--app-dir", str(ROOT), "--port", "0"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_its_packages_the_service_does_not_start_and_names_the_file(tmp_path: Path) -> None:
    done = start(tmp_path, **ENDPOINT)
    assert done.returncode not in (0, None)
    assert "pip install -r requirements-otel.txt" in done.stderr
    assert "Traceback" not in done.stderr
