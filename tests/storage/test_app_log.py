"""`app.log`: one line of JSON per event, equal to its row."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from devtools.authenticator import SoftAuthenticator
from tests.support.app_log import lines, parsed, until
from tests.support.service import Service, person

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
OWN = {"time", "level", "logger", "message"}


def log_of(service: Service) -> Path:
    return service.folder / "app.log"


def a_day(service: Service, device: SoftAuthenticator) -> int:
    """Some of everything; the number of events it made."""
    user = service.register(device)
    token = service.login(device)
    service.get(f"/users/{user['id']}", token)
    service.get("/users/someone-else", token)
    service.get(f"/users/{user['id']}", "no token")
    service.post("/login/begin", {"email": "nobody@example.com"})
    service.complete_login(None, {})
    service.complete_registration("nobody@example.com", {})
    return 10


def as_logged(row: dict[str, Any]) -> dict[str, Any]:
    """A row as its line should show it: the same, with the moment in ISO 8601."""
    moment = row["created_at"].replace(" ", "T")
    return {**row, "created_at": re.sub(r"\.000000$", "", moment) + "Z"}


def test_every_event_is_one_line_equal_to_its_row(
    service: Service, device: SoftAuthenticator
) -> None:
    """Each column of the row, in the order of the rows."""
    count = a_day(service, device)
    rows, found = service.audit(), lines(service, count)
    assert len(rows) == count
    stripped = [{key: line[key] for key in line.keys() - OWN} for line in found]
    assert stripped == [as_logged(row) for row in rows]


def test_a_line_has_its_time_its_level_and_its_event(
    service: Service, device: SoftAuthenticator
) -> None:
    """The fields that log collectors need first."""
    for line in lines(service, a_day(service, device)):
        assert TIME.fullmatch(line["time"])
        assert TIME.fullmatch(line["created_at"])
        assert line["level"] == ("INFO" if line["success"] else "WARNING")
        assert line["logger"] == "audit"
        assert line["message"] == line["event_type"]
        assert line["request_id"]


def test_nothing_is_logged_for_what_was_not_committed(
    service: Service, device: SoftAuthenticator
) -> None:
    """E1: the log never has an event that the table does not have."""
    service.register(device)
    service.rows("ALTER TABLE audit_logs RENAME TO elsewhere")
    assert service.post("/login/begin", {}).status_code == 503
    service.rows("ALTER TABLE elsewhere RENAME TO audit_logs")
    service.post("/login/begin", {})
    until(lambda: any(line.get("event_type") == "login_begin" for line in parsed(log_of(service))))
    events = [line["event_type"] for line in parsed(log_of(service)) if "event_type" in line]
    assert events == ["registration_begin", "registration_complete", "login_begin"]


def test_after_logrotate_a_new_file_is_begun(service: Service, device: SoftAuthenticator) -> None:
    """logrotate moves the file: the old one keeps its lines, the new one gets the next ones."""
    service.register(device)
    lines(service, 2)
    log_of(service).rename(service.folder / "app.log.1")
    service.login(device)
    assert [line["event_type"] for line in lines(service, 2)] == ["login_begin", "login_complete"]
    assert len(parsed(service.folder / "app.log.1")) == 2


def test_a_log_that_was_deleted_is_created_again(
    service: Service, device: SoftAuthenticator
) -> None:
    """As after `rm app.log`."""
    service.register(device)
    lines(service, 2)
    log_of(service).unlink()
    service.login(device)
    assert len(lines(service, 2)) == 2


def test_what_was_logged_before_a_restart_stays(tmp_path: Path) -> None:
    """The service appends to the file and never truncates it."""
    for _ in range(2):
        with Service(tmp_path) as service:
            service.post("/login/begin", {})
    assert len(parsed(tmp_path / "app.log")) == 2


def test_everything_is_written_when_the_service_stops(
    tmp_path: Path, device: SoftAuthenticator
) -> None:
    """A shutdown waits for the last line."""
    with Service(tmp_path) as service:
        service.register(device)
        service.together([lambda client: client.post("/login/begin", json={}) for _ in range(200)])
    assert len(parsed(tmp_path / "app.log")) == 202


@pytest.mark.parametrize("name", ["Zoë", 'O"Brien', "back\\slash", "李", "</script>", "{}", "%s"])
def test_a_name_is_data_in_a_line(service: Service, device: SoftAuthenticator, name: str) -> None:
    """B7: a name with characters that JSON has to escape comes out as it went in."""
    service.register(device, person("jane", first_name=name))
    line = lines(service, 2)[-1]
    plain = f"{name} Doe"
    quoted = json.dumps(plain, ensure_ascii=False)
    assert line["details"].startswith((f"User {plain} registered", f"User {quoted} registered"))
    raw = log_of(service).read_text("ascii").splitlines()[-1]
    assert json.loads(raw) == line
