"""The number of this process in a run of several (pytest-xdist), and its own Redis database.

Ports are kept apart in `process.free_port`. PostgreSQL databases have random names.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit


def number() -> int:
    """0 for the first process of a run, or for the only one; 1 for the second, and so on."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def own_redis(url: str) -> str:
    """The URL with the number of the Redis database raised by the number of this process."""
    parts = urlsplit(url)
    database = int(parts.path.strip("/") or 0) + number()
    return parts._replace(path=f"/{database}").geturl()
