"""compose.yaml as Docker Compose itself reads it, with all variables and anchors resolved."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from tests.deploy.workshop import output_of, run, tool

HOST = "login.example.com"


@lru_cache
def composed(**variables: str) -> dict[str, Any]:
    """What `docker compose config` says; without variables, with only LOGIN_HOST set."""
    variables = variables or {"LOGIN_HOST": HOST}
    text = output_of(tool("docker-compose"), "config", "--format", "json", **variables)
    found: dict[str, Any] = json.loads(text)
    return found


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = composed()["services"]
    return found


def refusal(**variables: str) -> str:
    """What Compose says when it refuses to go on."""
    done = run(tool("docker-compose"), "config", "--quiet", **variables)
    assert done.returncode != 0
    return done.stderr
