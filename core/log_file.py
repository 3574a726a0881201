"""`app.log`: one line of JSON for each event, written by a thread of its own.

No request waits for the disk, and no request fails because of it. A line that cannot be written is
counted, and stderr reports that at most once a minute. The event's row is in `audit_logs` in any
case.
docs/decisions/0033-log-file-thread.md says why the thread gathers lines.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener, WatchedFileHandler
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from core.clock import utc_text

LOGGERS = ("audit", "service")
# The most records that wait for the disk. Those that come while so many wait are lost.
MAX_WAITING = 100_000
GATHER_SECONDS = 0.02
REPORT_EVERY_SECONDS = 60


class JsonLines(logging.Formatter):
    """One line for each record. JSON escapes all that came from outside, to plain ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": utc_text(moment, "milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _encode(line)


def _to_json(value: Any) -> str:
    """The JSON form of a time, for which JSON has no type."""
    if isinstance(value, datetime):
        return utc_text(value)
    raise TypeError(type(value).__name__)


_encode = json.JSONEncoder(ensure_ascii=True, default=_to_json).encode


class LogFileHandler(WatchedFileHandler):
    """Writes many records at once, and goes on with a new file after logrotate moved the old one.

    `lines_lost` counts the lines that could not be written.
    """

    def __init__(self, file: Path) -> None:
        super().__init__(file, encoding="utf-8", delay=True)
        self.lines_lost = 0
        self._json, self._reported_at = JsonLines(), float("-inf")

    def write(self, records: list[logging.LogRecord]) -> None:
        """Write all `records` with one look for a new file, and one flush."""
        lines = [line for record in records if (line := self._line(record))]
        if lines:
            # To the base class this is one record, whose message is the text of all lines.
            self.handle(logging.makeLogRecord({"msg": "\n".join(lines), "lines": len(lines)}))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            super().emit(record)
        except Exception:
            # The file cannot be opened. The base class handles only what fails after that.
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        self.report_lost(vars(record)["lines"])

    def report_lost(self, lines: int) -> None:
        """Count `lines` as lost, and say so on stderr unless it did so within the last minute."""
        self.lines_lost += lines
        if time.monotonic() - self._reported_at >= REPORT_EVERY_SECONDS:
            self._reported_at = time.monotonic()
            error = type(sys.exc_info()[1]).__name__
            # Writing to stderr may fail, too. The code that logs must not get that error.
            with suppress(Exception):
                sys.stderr.write(
                    f"app.log cannot be written ({error}): {self.lines_lost} lines lost\n"
                )

    def _line(self, record: logging.LogRecord) -> str:
        """The line of `record`; an empty text, which is counted, if it has no JSON form."""
        try:
            return self._json.format(record)
        except Exception:
            self.report_lost(1)
            return ""


class QueueingHandler(QueueHandler):
    """Puts records into the queue. While MAX_WAITING wait, more of them are lost and counted."""

    def __init__(self, waiting: SimpleQueue[Any], file: LogFileHandler) -> None:
        super().__init__(waiting)
        self._waiting, self._file = waiting, file

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        # The base class formats it here, for other processes; the thread does that later.
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        if self._waiting.qsize() < MAX_WAITING:
            self._waiting.put_nowait(record)
        else:
            self._file.report_lost(1)


class _Writer(QueueListener):
    """The thread: takes a record, lets others gather for a moment, and writes them all.

    While it does not wait at the queue, a record costs no thread switch.
    """

    def __init__(self, waiting: SimpleQueue[Any], file: LogFileHandler) -> None:
        super().__init__(waiting)
        self._waiting, self._file = waiting, file

    def handle(self, record: logging.LogRecord) -> None:
        time.sleep(GATHER_SECONDS)
        records = [record]
        with suppress(Empty):
            while isinstance(following := self._waiting.get_nowait(), logging.LogRecord):
                records.append(following)
            # That was the sentinel which ends the thread. Put it back for the base class.
            self.enqueue_sentinel()
        self._file.write(records)


class LogFile:
    """The log of one service: started and stopped with it."""

    def __init__(self, file: Path) -> None:
        self._waiting: SimpleQueue[Any] = SimpleQueue()
        self.handler = LogFileHandler(file)
        self._queueing = QueueingHandler(self._waiting, self.handler)
        self._writer = _Writer(self._waiting, self.handler)

    @property
    def lines_lost(self) -> int:
        """How many lines the file did not take."""
        return self.handler.lines_lost

    def start(self) -> None:
        """Begin to write what the loggers say."""
        self._writer.start()
        for name in LOGGERS:
            logger = logging.getLogger(name)
            logger.setLevel(logging.INFO)
            logger.addHandler(self._queueing)
        # Audit events go to the file only; the console is for what an operator must see.
        logging.getLogger("audit").propagate = False

    def metrics(self) -> dict[str, int]:
        """Its present values, by the names in services/metrics.py."""
        return {"log_queue_length": self._waiting.qsize(), "log_lines_lost": self.lines_lost}

    def stop(self) -> None:
        """Write all that waits, then close the file. Waits for the disk."""
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(self._queueing)
        self._writer.stop()
        # A full disk does not take the rest now. Those lines were counted before.
        with suppress(OSError):
            self.handler.close()
