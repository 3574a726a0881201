"""`app.log`: one line of JSON per event, written by a thread of its own.

No request waits for the disk, and no request fails because of it: a line that cannot be written
is counted and said on stderr; the row in `audit_logs` is the truth.
"""

from __future__ import annotations

import json
import logging
import queue
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener, WatchedFileHandler
from pathlib import Path
from typing import Any

LOGGERS = ("audit", "service")
MAX_WAITING = 100_000
COMPLAIN_EVERY_SECONDS = 60


class JsonLines(logging.Formatter):
    """One record, one line: JSON escapes whatever came from outside, down to plain ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields = getattr(record, "fields", {})
        line.update((name, _plain(value)) for name, value in fields.items())
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    return value


class Trail(WatchedFileHandler):
    """The file; follows logrotate, and keeps quiet but for one complaint a minute."""

    failures = 0

    def __init__(self, file: Path) -> None:
        super().__init__(file, encoding="utf-8", delay=True)
        self.setFormatter(JsonLines())
        self._complained = float("-inf")

    def emit(self, record: logging.LogRecord) -> None:
        # The file is opened here, outside of what logging guards: its thread would die of it.
        try:
            super().emit(record)
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 (logging's)
        self.failures += 1
        if time.monotonic() - self._complained >= COMPLAIN_EVERY_SECONDS:
            self._complained = time.monotonic()
            error = type(sys.exc_info()[1]).__name__
            sys.stderr.write(f"app.log cannot be written ({error}): {self.failures} lines lost\n")


class _Queue(QueueHandler):
    """Hands records over as they are; when the disk hangs, the queue is bounded."""

    def __init__(self, waiting: queue.Queue[logging.LogRecord], trail: Trail) -> None:
        super().__init__(waiting)
        self._trail = trail

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        # The listener lives in this process: nothing needs to be made picklable.
        return record

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        self._trail.handleError(record)


class LogFile:
    """The log of one service: started and stopped with it."""

    def __init__(self, file: Path) -> None:
        self.trail = Trail(file)
        self._handler = _Queue(queue.Queue(MAX_WAITING), self.trail)
        self._listener = QueueListener(self._handler.queue, self.trail)

    def start(self) -> None:
        """Begin to write what the loggers say."""
        self._listener.start()
        for name in LOGGERS:
            logger = logging.getLogger(name)
            logger.setLevel(logging.INFO)
            logger.addHandler(self._handler)
        # Events are for the file; the console is for what an operator must see.
        logging.getLogger("audit").propagate = False

    def stop(self) -> None:
        """Write what waits, then close the file."""
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(self._handler)
        self._listener.stop()
        # What a full disk does not take now was said and counted before.
        with suppress(OSError):
            self.trail.close()
