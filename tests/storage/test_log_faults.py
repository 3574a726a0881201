"""A log file that cannot be written: no login is lost for it, and an operator hears of it once."""

from __future__ import annotations

import errno
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.logs import LogFile, Trail
from devtools.authenticator import SoftAuthenticator
from tests.storage.trail import parsed, until
from tests.support.service import Service

COMPLAINT = "app.log cannot be written"
Spoil = Callable[[Path], None]


def a_folder_of_that_name(log: Path) -> None:
    log.mkdir()


def no_such_folder(log: Path) -> None:
    log.parent.rmdir()


def a_file_where_the_folder_was(log: Path) -> None:
    log.parent.rmdir()
    log.parent.write_text("")


def mend(log: Path) -> None:
    """Make the way to the file free, whatever lies there."""
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


def trail_of(service: Service) -> Trail:
    log_file: LogFile = service.parts.log_file
    return log_file.trail


def redirect(service: Service, log: Path) -> None:
    """Have the service log to another file than the one it was started with."""
    trail_of(service).baseFilename = str(log)


def no_space() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@each_way
def test_a_login_works_and_stderr_complains_once(
    service: Service,
    device: SoftAuthenticator,
    log: Path,
    spoil: Spoil,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """E2: the row is the truth; the log failing alone loses no login."""
    spoil(log)
    redirect(service, log)
    service.register(device)
    for _ in range(3):
        assert service.login(device)
    assert len(service.audit()) == 8
    until(lambda: trail_of(service).failures == 8)
    assert capfd.readouterr().err.count(COMPLAINT) == 1


@each_way
def test_the_log_goes_on_once_it_can_be_written_again(
    service: Service, device: SoftAuthenticator, log: Path, spoil: Spoil
) -> None:
    """E2: no restart is needed."""
    spoil(log)
    redirect(service, log)
    service.register(device)
    until(lambda: trail_of(service).failures == 2)
    mend(log)
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
    until(lambda: trail_of(service).failures == 2)
    log.parent.mkdir()
    assert service.login(device)
    until(lambda: len(parsed(log)) == 2)


def test_a_full_disk_costs_lines_and_no_login(
    service: Service,
    device: SoftAuthenticator,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """E2: one complaint, and every answer as ever."""
    monkeypatch.setattr(trail_of(service), "flush", no_space)
    service.register(device)
    assert service.login(device)
    until(lambda: trail_of(service).failures == 4)
    assert capfd.readouterr().err.count(COMPLAINT) == 1


def test_a_full_disk_does_not_spoil_the_shutdown(
    tmp_path: Path, device: SoftAuthenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E2: the last flush of a full disk fails, too, and the service ends in good order."""
    with Service(tmp_path) as service:
        monkeypatch.setattr(trail_of(service), "flush", no_space)
        service.register(device)
        until(lambda: trail_of(service).failures == 2)
    assert len(service.audit()) == 2


def test_a_record_that_cannot_be_written_down_costs_one_line(log: Path) -> None:
    """E2: those that were gathered with it are written."""
    trail = Trail(log)
    good, bad = (
        logging.makeLogRecord({"msg": "note", "fields": {"value": value}}) for value in ("x", b"y")
    )
    trail.write([good, bad, good])
    trail.close()
    assert len(parsed(log)) == 2
    assert trail.failures == 1


def test_a_log_and_a_stderr_that_are_both_gone_do_no_harm(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E2: nobody who logs suffers, and the file is written again once it can be."""

    class Gone:
        def write(self, _text: str) -> int:
            raise OSError(errno.EPIPE, "gone")

    trail = Trail(log)
    log.mkdir()
    monkeypatch.setattr("sys.stderr", Gone())
    trail.write([logging.makeLogRecord({"msg": "lost"})])
    log.rmdir()
    trail.write([logging.makeLogRecord({"msg": "kept"})])
    trail.close()
    assert [line["message"] for line in parsed(log)] == ["kept"]
