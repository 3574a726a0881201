"""Runs commands to their end, with none of the settings of the run of tests itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ("DATABASE_URL", "LOG_FILE", "ORIGIN", "RP_ID", "JWT_SECRET", "PORT", "PYTHON")

Done = subprocess.CompletedProcess[str]


def run(
    *command: str | Path, cwd: Path, given: Mapping[str, str] | None = None, path: str | None = None
) -> Done:
    """Run a command without standard input; `given` are its settings, `path` its PATH."""
    bare = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    if path is not None:
        bare["PATH"] = path
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=bare | dict(given or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
