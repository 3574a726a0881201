"""Reads `app.log`, which a thread of the service writes a moment after the answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.service import Service

TIMEOUT_SECONDS = 20


def until(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds; fail if it takes too long."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.005)


def parsed(file: Path) -> list[dict[str, Any]]:
    """The lines of a log file as JSON objects; none if the file does not exist."""
    if not file.is_file():
        return []
    return [json.loads(line) for line in file.read_text("ascii").splitlines()]


def lines(service: Service, count: int) -> list[dict[str, Any]]:
    """The lines of the service's log, once there are `count` of them."""
    file = service.folder / "app.log"
    until(lambda: file.is_file() and file.read_bytes().count(b"\n") >= count)
    found = parsed(file)
    assert len(found) == count
    return found
