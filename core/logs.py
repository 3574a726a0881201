"""`app.log`: one line of JSON per event, written by a thread of its own.

No request waits for the disk, and no request fails because of it: a line that cannot be written
is counted and said on stderr; the row in `audit_logs` is the truth.
"""

from __future__ import annotations

import json
import logging
import queue
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

LOGGERS = ("audit", "service")
MAX_WAITING = 100_000
MAX_BATCH = 1000
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

    def write(self, records: Sequence[logging.LogRecord]) -> None:
        """Write all of them at once: one look for a renamed file, one flush."""
        try:
            self.reopenIfNeeded()
            if self.stream is None:
                self.stream = self._open()
                self._statstream()
            self.stream.write("".join(f"{self.format(record)}\n" for record in records))
            self.flush()
        except Exception:
            self.complain(len(records))

    def complain(self, lost: int) -> None:
        """Count lines that could not be written, and say so now and then."""
        self.failures += lost
        if time.monotonic() - self._complained >= COMPLAIN_EVERY_SECONDS:
            self._complained = time.monotonic()
            error = type(sys.exc_info()[1]).__name__
            sys.stderr.write(f"app.log cannot be written ({error}): {self.failures} lines lost\n")


class _Pen(logging.Handler):
    """Hands records over to a thread, which writes all that wait; when the disk hangs, no more."""

    def __init__(self, trail: Trail) -> None:
        super().__init__()
        self._trail = trail
        self._waiting: queue.SimpleQueue[logging.LogRecord | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Return once all that waits is written."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def createLock(self) -> None:  # noqa: N802 (logging's name)
        # The queue has its own.
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        if self._waiting.qsize() >= MAX_WAITING:
            self._trail.complain(1)
            return
        self._waiting.put(record)

    def _run(self) -> None:
        while True:
            records, ended = self._next()
            if records:
                self._trail.write(records)
            if ended:
                return

    def _next(self) -> tuple[list[logging.LogRecord], bool]:
        record = self._waiting.get()
        records = []
        while record is not None:
            records.append(record)
            if self._waiting.empty() or len(records) >= MAX_BATCH:
                return records, False
            record = self._waiting.get()
        return records, True


class LogFile:
    """The log of one service: started and stopped with it."""

    def __init__(self, file: Path) -> None:
        self.trail = Trail(file)
        self._pen = _Pen(self.trail)

    def start(self) -> None:
        """Begin to write what the loggers say."""
        self._pen.start()
        for name in LOGGERS:
            logger = logging.getLogger(name)
            logger.setLevel(logging.INFO)
            logger.addHandler(self._pen)
        # Events are for the file; the console is for what an operator must see.
        logging.getLogger("audit").propagate = False

    def stop(self) -> None:
        """Write what waits, then close the file."""
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(self._pen)
        self._pen.stop()
        # What a full disk does not take now was said and counted before.
        with suppress(OSError):
            self.trail.close()
