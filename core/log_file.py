"""`app.log`: one line of JSON per event, written by a thread of its own.

No request waits for the disk, and no request fails because of it: a line that cannot be written
is counted and said on stderr; the row in `audit_logs` is the truth.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

LOGGERS = ("audit", "service")
MAX_WAITING = 100_000
GATHER_SECONDS = 0.02
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
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _encode(line)


def _plain(value: Any) -> str:
    """What JSON has no word for: times."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    raise TypeError(type(value).__name__)


_encode = json.JSONEncoder(ensure_ascii=True, default=_plain).encode


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
            lines = [line for record in records if (line := self._line(record))]
            self.stream.write("".join(lines))
            self.flush()
        except Exception:
            self.complain(len(records))

    def _line(self, record: logging.LogRecord) -> str:
        """The record as its line; nothing for one that cannot be written down, which is counted."""
        try:
            return f"{self.format(record)}\n"
        except Exception:
            self.complain(1)
            return ""

    def complain(self, lost: int) -> None:
        """Count lines that could not be written, and say so now and then."""
        self.failures += lost
        if time.monotonic() - self._complained >= COMPLAIN_EVERY_SECONDS:
            self._complained = time.monotonic()
            error = type(sys.exc_info()[1]).__name__
            # Whoever logs must not suffer for it, if stderr is gone, too.
            with suppress(Exception):
                sys.stderr.write(
                    f"app.log cannot be written ({error}): {self.failures} lines lost\n"
                )


class _Pen(logging.Handler):
    """Hands records over to a thread, which writes all that wait; when the disk hangs, no more.

    The thread lets them gather for a moment: to wake it for each would cost more than the line.
    """

    def __init__(self, trail: Trail) -> None:
        super().__init__()
        self._trail = trail
        self._waiting: deque[logging.LogRecord] = deque()
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)

    @property
    def waiting(self) -> int:
        """How many records are not written yet."""
        return len(self._waiting)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return once all that waits is written."""
        self._stopping.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()

    def createLock(self) -> None:  # noqa: N802 (logging's name)
        # A deque needs none.
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        if self.waiting >= MAX_WAITING:
            self._trail.complain(1)
            return
        self._waiting.append(record)
        if not self._wake.is_set():
            self._wake.set()

    def _run(self) -> None:
        while self._waiting or not self._stopping.is_set():
            self._wake.wait()
            self._stopping.wait(GATHER_SECONDS)
            # Cleared first: what comes from now on wakes the thread again.
            self._wake.clear()
            if self._waiting:
                self._trail.write([self._waiting.popleft() for _ in range(len(self._waiting))])
            if self._stopping.is_set():
                self._wake.set()


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

    def metrics(self) -> dict[str, int]:
        """Its present values, by the names in services/metrics.py."""
        return {
            "log_queue_length": self._pen.waiting,
            "log_lines_lost": self.trail.failures,
        }

    def stop(self) -> None:
        """Write what waits, then close the file."""
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(self._pen)
        self._pen.stop()
        # What a full disk does not take now was said and counted before.
        with suppress(OSError):
            self.trail.close()
