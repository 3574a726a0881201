"""A log file that cannot be written: no login fails for it, and stderr says so once a minute."""

from __future__ import annotations

import errno
import logging
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from core import log_file
from core.log_file import LogFile, LogFileHandler
from devtools.authenticator import SoftAuthenticator
from tests.support.app_log import parsed, until
from tests.support.service import Service

MESSAGE = "app.log cannot be written"
Spoil = Callable[[Path], None]


def a_folder_of_that_name(log: Path) -> None:
    log.mkdir()


def no_such_folder(log: Path) -> None:
    log.parent.rmdir()


def a_file_where_the_folder_was(log: Path) -> None:
    log.parent.rmdir()
    log.parent.write_text("")


def repair(log: Path) -> None:
    """Make the file writable again, whatever is in its place."""
    if log.is_dir():
        log.rmdir()
    if log.parent.is_file():
        log.parent.unlink()
    log.parent.mkdir(exist_ok=True)


WAYS = (a_folder_of_that_name, no_such_folder, a_file_where_the_folder_was)
each_way = pytest.mark.parametrize("spoil", WAYS, ids=lambda way: way.__name__.replace("_", " "))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder / "app.log"


def handler_of(service: Service) -> LogFileHandler:
    log: LogFile = service.parts.log_file
    return log.handler


def redirect(service: Service, log: Path) -> None:
    """Have the service log to another file than the one it was started with."""
    handler_of(service).baseFilename = str(log)


def no_space() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@each_way
def test_a_login_works_and_stderr_says_so_once(
    service: Service,
    device: SoftAuthenticator,
    log: Path,
    spoil: Spoil,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """E2: the row in the database counts. A log that fails makes no login fail."""
    spoil(log)
    redirect(service, log)
    service.register(device)
    for _ in range(3):
        assert service.login(device)
    assert len(service.audit()) == 8
    until(lambda: handler_of(service).lines_lost == 8)
    assert capfd.readouterr().err.count(MESSAGE) == 1


@each_way
def test_the_log_goes_on_once_it_can_be_written_again(
    service: Service, device: SoftAuthenticator, log: Path, spoil: Spoil
) -> None:
    """E2: no restart is needed."""
    spoil(log)
    redirect(service, log)
    service.register(device)
    until(lambda: handler_of(service).lines_lost == 2)
    repair(log)
    service.login(device)
    until(lambda: len(parsed(log)) == 2)


def test_a_folder_that_vanishes_while_the_log_is_open_loses_no_login(
    service: Service, device: SoftAuthenticator, log: Path
) -> None:
    """E2: a volume that is unmounted under a running service, and mounted again."""
    redirect(service, log)
    service.register(device)
    until(lambda: len(parsed(log)) == 2)
    shutil.rmtree(log.parent)
    assert service.login(device)
    until(lambda: handler_of(service).lines_lost == 2)
    log.parent.mkdir()
    assert service.login(device)
    until(lambda: len(parsed(log)) == 2)


def test_a_full_disk_costs_lines_and_no_login(
    service: Service,
    device: SoftAuthenticator,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """E2: one message on stderr, and every answer as always."""
    monkeypatch.setattr(handler_of(service), "flush", no_space)
    service.register(device)
    assert service.login(device)
    until(lambda: handler_of(service).lines_lost == 4)
    assert capfd.readouterr().err.count(MESSAGE) == 1


def test_a_full_disk_does_not_spoil_the_shutdown(
    tmp_path: Path, device: SoftAuthenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E2: the last flush to a full disk fails, too, and the service still stops as it should."""
    with Service(tmp_path) as service:
        monkeypatch.setattr(handler_of(service), "flush", no_space)
        service.register(device)
        until(lambda: handler_of(service).lines_lost == 2)
    assert len(service.audit()) == 2


def test_a_record_that_cannot_be_written_down_costs_one_line(log: Path) -> None:
    """E2: the records that are written together with it are not lost."""
    handler = LogFileHandler(log)
    good, bad = (
        logging.makeLogRecord({"msg": "note", "fields": {"value": value}}) for value in ("x", b"y")
    )
    handler.write([good, bad, good])
    handler.close()
    assert len(parsed(log)) == 2
    assert handler.lines_lost == 1


def test_a_log_and_a_stderr_that_are_both_gone_do_no_harm(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E2: no caller sees an error, and the file is written again once it can be."""

    class Gone:
        def write(self, _text: str) -> int:
            raise OSError(errno.EPIPE, "gone")

    handler = LogFileHandler(log)
    log.mkdir()
    monkeypatch.setattr("sys.stderr", Gone())
    handler.write([logging.makeLogRecord({"msg": "lost"})])
    log.rmdir()
    handler.write([logging.makeLogRecord({"msg": "kept"})])
    handler.close()
    assert [line["message"] for line in parsed(log)] == ["kept"]


def said(number: int) -> None:
    logging.getLogger("service.test").info("note", extra={"fields": {"number": number}})


def test_a_disk_that_hangs_stops_nobody_who_logs(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """E2: at most so many records wait; the others are counted, and the rest is written later."""
    monkeypatch.setattr(log_file, "MAX_WAITING", 5)
    began, goes_on = threading.Event(), threading.Event()
    file = LogFile(log)
    flush = file.handler.flush

    def hang() -> None:
        began.set()
        assert goes_on.wait(20)
        flush()

    monkeypatch.setattr(file.handler, "flush", hang)
    file.start()
    said(0)
    assert began.wait(20)
    for number in range(1, 9):
        said(number)
    assert file.metrics() == {"log_queue_length": 5, "log_lines_lost": 3}
    assert capsys.readouterr().err.count(MESSAGE) == 1
    goes_on.set()
    file.stop()
    assert [line["number"] for line in parsed(log)] == [0, 1, 2, 3, 4, 5]


def test_lines_that_are_lost_are_said_once_a_minute(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """E2: with the number of all that were lost so far."""
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    handler = LogFileHandler(log)
    log.mkdir()
    for clock[0] in (1000.0, 1059.9, 1060.0):
        handler.write([logging.makeLogRecord({"msg": "lost"})] * 2)
    said_so = capsys.readouterr().err.splitlines()
    assert [line.rpartition(": ")[2] for line in said_so] == ["2 lines lost", "6 lines lost"]


def test_all_that_was_queued_is_written_at_the_end(log: Path) -> None:
    """In order, however much of it there is."""
    file = LogFile(log)
    file.start()
    for number in range(10_000):
        said(number)
    file.stop()
    assert [line["number"] for line in parsed(log)] == [*range(10_000)]
    said(10_000)
    assert len(parsed(log)) == 10_000


def test_records_that_come_together_are_one_write(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write for each line, and a thread switch, would cost more than the line."""
    file, written = LogFile(log), list[int]()
    write = file.handler.write

    def counted(records: list[logging.LogRecord]) -> None:
        written.append(len(records))
        write(records)

    monkeypatch.setattr(file.handler, "write", counted)
    file.start()
    for number in range(1000):
        said(number)
    file.stop()
    assert sum(written) == 1000
    assert len(written) < 100
