"""SIGTERM: open requests are finished, answered logins have rows, and the exit code is 0."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.operations import stopping
from tests.support.process import free_port, start_server
from tests.support.service import Service

QUERY = (
    "SELECT request_id FROM audit_logs WHERE event_type = 'login_complete' AND success = 1 "
    "ORDER BY id"
)


def logins(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "app.db", timeout=5)) as connection:
        return [request_id for (request_id,) in connection.execute(QUERY)]


def test_open_requests_are_finished(tmp_path: Path) -> None:
    with stopping.ending(tmp_path, count=20) as server:
        stopping.finishes_what_was_begun(server, lambda: logins(tmp_path))


def test_under_load_every_request_is_answered_or_refused(tmp_path: Path) -> None:
    with stopping.ending(tmp_path, count=8) as server:
        stopping.answers_or_refuses(server, lambda: logins(tmp_path))


def test_sqlite_leaves_one_file(tmp_path: Path) -> None:
    """The write-ahead log is merged into it, so that a copy of the file is complete."""
    with stopping.ending(tmp_path, count=2) as server:
        server.terminate()
        assert server.wait() == 0
    assert sorted(file.name for file in tmp_path.glob("app.db*")) == ["app.db"]


def serve_one(service: Service) -> None:
    with service:
        service.post("/login/begin", {})


def test_a_part_that_fails_to_stop_does_not_keep_the_others_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> None:
        raise OSError("gone")

    service = Service(tmp_path)
    monkeypatch.setattr(service.parts.challenges, "stop", fail)
    with pytest.raises(OSError, match="gone"):
        serve_one(service)
    assert (tmp_path / "app.log").read_bytes().count(b"\n") == 1
    assert not (tmp_path / "app.db-wal").exists()


def test_a_server_that_was_stopped_before_it_served_does_not_exit_with_0(
    tmp_path: Path,
) -> None:
    server = start_server(tmp_path, free_port())
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == -signal.SIGTERM
