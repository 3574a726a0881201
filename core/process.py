"""What the service does as a process: start-up checks and banner, exit code, garbage collector."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

from core.errors import ConfigurationError
from core.settings import Settings
from core.settings.sources import redact_url

# Thresholds for gc.set_threshold: objects made and not freed since the last collection of the young
# generation, then how many collections of one generation come before one of the next.
YOUNG_THRESHOLD, MIDDLE_THRESHOLD, OLD_THRESHOLD = 20_000, 20, 50


def worker_count(environment: Mapping[str, str], arguments: Sequence[str]) -> int:
    """How many processes uvicorn starts: from `--workers`, or from WEB_CONCURRENCY; at least 1."""
    values = [environment.get("WEB_CONCURRENCY", "1")]
    for place, argument in enumerate(arguments):
        if argument == "--workers":
            values = list(arguments[place + 1 : place + 2])
        elif argument.startswith("--workers="):
            values = [argument.partition("=")[2]]
    return int(values[0]) if values and values[0].isdigit() else 1


def require_shared_state(settings: Settings, workers: int) -> None:
    """Refuse to start `workers` processes that share no state. Raises ConfigurationError."""
    if workers <= 1:
        return
    if not settings.redis_url:
        raise ConfigurationError(
            f"{workers} workers need REDIS_URL: a login begun at one is completed at another"
        )
    if settings.uses_sqlite:
        # One process queues its writers and commits them together. Several processes are as safe,
        # but SQLite lets them only retry, in no order. Of 200 writers in four processes some waited
        # for 3 of the 5 seconds after which SQLite gives up.
        raise ConfigurationError(
            f"{workers} workers need DATABASE_URL=postgresql://…: in an SQLite file they wait for "
            "each other's writes, for seconds under load"
        )


def banner(settings: Settings) -> str:
    """The lines printed at start. They warn if the development secret signs the tokens."""
    address = settings.web_origins[0]
    lines = {
        "address": address,
        "API docs": f"{address}/docs",
        "RP ID": settings.rp_id,
        "origins": ", ".join(settings.origin),
        "database": redact_url(settings.database_url),
        "log file": str(settings.log_file),
    }
    text = "".join(f"  {name:<9} {value}\n" for name, value in lines.items())
    if settings.uses_development_secret:
        text += (
            "\n  !! The DEVELOPMENT SECRET signs the tokens: anyone can forge them.\n"
            "  !! Set JWT_SECRET before anyone but you uses this.\n"
        )
    return f"\n  {settings.rp_name}: passkey service\n{text}\n"


def exit_with_zero_after_sigterm(is_stopped: Callable[[], bool]) -> None:
    """Let SIGTERM end the process with exit code 0 if `is_stopped()`. For the main thread only.

    uvicorn finishes its work and then raises SIGTERM again with the handler that it found. Without
    this handler a complete shutdown and an interrupted one both end with 143.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        # Another handler is installed, such as the one of uvicorn's supervisor of several workers.
        return

    def end(number: int, _frame: FrameType | None) -> None:
        if is_stopped():
            raise SystemExit(0)
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    signal.signal(signal.SIGTERM, end)


def tune_garbage_collector() -> None:
    """Exempt what is loaded by now from collection, and collect less often.

    Call it once, after start-up, in a process that only serves. Reference counting frees nearly all
    that a request makes. The collector's default walks through modules, models and compiled
    statements again and again, which takes an eighth of the CPU of a login. Between two collections
    cycles may hold some megabytes. CPython 3.14.0 ignores the third threshold and has no middle
    generation (docs/decisions/0031-garbage-collector.md).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_THRESHOLD, MIDDLE_THRESHOLD, OLD_THRESHOLD)
