"""How many processes serve, and what they must then share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.errors import ConfigurationError
from core.settings import Settings


def require_shared_state(settings: Settings, workers: int) -> None:
    """Refuse several workers that would get in each other's way. Raises ConfigurationError."""
    if workers <= 1:
        return
    if not settings.redis_url:
        raise ConfigurationError(
            f"{workers} workers need REDIS_URL: a login begun at one is completed at another"
        )
    if settings.database_url.startswith("sqlite:"):
        # One process queues its writers and commits them together. Several are as safe, but only
        # retry, in no order: of 200 writers in four processes some waited for 3 of 5 seconds.
        raise ConfigurationError(
            f"{workers} workers need DATABASE_URL=postgresql://…: in an SQLite file they wait for "
            "each other's writes, for seconds under load"
        )


def workers(environment: Mapping[str, str], arguments: Sequence[str]) -> int:
    """How many processes uvicorn was told to start: by `--workers`, or by WEB_CONCURRENCY."""
    told = [environment.get("WEB_CONCURRENCY", "1")]
    for place, argument in enumerate(arguments):
        if argument == "--workers":
            told = list(arguments[place + 1 : place + 2])
        elif argument.startswith("--workers="):
            told = [argument.partition("=")[2]]
    return int(told[0]) if told and told[0].isdigit() else 1
