"""What these tests work with: the files of the project, and the real tools that read them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "systemd" / "auth-example.service"
MAKE_SECRETS = DEPLOY / "make-secrets.sh"


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the root folder; `environment` is added to ours. Never raises."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def output_of(*command: str | Path, **environment: str) -> str:
    """What a command prints; it must end well."""
    done = run(*command, **environment)
    assert done.returncode == 0, done.stderr or done.stdout
    return done.stdout


def tool(name: str) -> Path:
    """A program that a development requirement brings."""
    return Path(sys.executable).with_name(name)


def needs(program: str) -> pytest.MarkDecorator:
    """Skip without a program that no Python package brings; on CI it has to be there."""
    missing = shutil.which(program) is None and not os.environ.get("CI")
    return pytest.mark.skipif(missing, reason=f"no {program}")


def contents(folder: Path) -> dict[str, str]:
    """The text of every file in a folder."""
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def documents(text: str) -> list[dict[str, Any]]:
    """The YAML documents of `text`."""
    return list(yaml.safe_load_all(text))


def assignments(file: Path) -> dict[str, str]:
    """The NAME=value lines of an environment file."""
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {name: value.strip('"') for name, value in pairs}


def unit_values(file: Path, name: str) -> list[str]:
    """The values of a systemd directive, in their order."""
    text = file.read_text(encoding="utf-8").replace("\\\n", " ")
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] != "#")
    return [value.strip() for key, value in pairs if key == name]
