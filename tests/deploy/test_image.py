"""The image starts, serves and ends with what is in it, by the commands that are in it."""

from __future__ import annotations

import ast
import json
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy import container, dockerfile, dockerignore, upcoming
from tests.deploy.container import Life
from tests.deploy.image import Image, locked
from tests.deploy.workshop import ROOT, documents
from tests.support.process import free_port

TEST_TOOLS = {"pytest", "httpx"}
# A container's first process ends with 0. Any other is ended by the signal itself, which uvicorn
# raises once more when all is closed.
CLEAN_ENDS = {0, -signal.SIGTERM}
MIGRATE = documents((ROOT / "compose.yaml").read_text())[0]["services"]["migrate"]


@pytest.fixture(scope="module")
def life(image: Image) -> Life:
    return container.live(image)


def test_the_command_of_the_image_serves_pages_and_api(life: Life) -> None:
    assert life.answers == dict.fromkeys(container.PATHS, 200)


def test_nothing_is_imported_from_the_writable_folder(life: Life) -> None:
    assert "planted" not in life.console


def test_it_does_not_say_what_serves(life: Life) -> None:
    assert "server" not in life.headers


def test_a_request_under_way_is_answered_before_the_end(life: Life) -> None:
    assert life.last_answer == "HTTP/1.1 200 OK"


def test_it_ends_soon_after_sigterm_and_well(life: Life) -> None:
    assert life.exit_status in CLEAN_ENDS, life.console
    assert life.seconds_to_end < 10
    assert "Application shutdown complete" in life.console


def test_the_audit_trail_goes_to_stdout_where_the_settings_say_so(life: Life) -> None:
    lines = [json.loads(line) for line in life.trail.splitlines()]
    assert "registration_begin" in {line.get("event_type") for line in lines}


def test_nothing_is_written_beside_the_data(life: Life, image: Image) -> None:
    written = {path.name for path in image.data.iterdir()} - set(container.PLANTED)
    assert written <= {"app.db", "app.db-shm", "app.db-wal"}
    built = {file.relative_to(ROOT).as_posix() for file in dockerignore.context()}
    assert image.files() == built


def test_the_image_holds_the_service_and_nothing_else(image: Image) -> None:
    folders = {"cli", "core", "migrations", "routes", "services", "static", "stores"}
    modules = {f"{name}.py" for name in ("audit", "auth", "main", "models", "schemas")}
    others = {"pyproject.toml", "requirements.lock"}
    assert {path.name for path in image.app.iterdir()} == folders | modules | others


def test_the_doctor_in_the_image_finds_it_well(image: Image) -> None:
    code, said = image.run(["python", "-m", "cli", "doctor"], LOG_FILE="/dev/null")
    assert code == 0, said
    assert "fail" not in said


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".git/config",
        ".venv/bin/python",
        "app.db",
        "app.db-wal",
        "app.log",
        "deploy/secrets/jwt_secret",
        "core/__pycache__/config.cpython-313.pyc",
        "server.key",
        "tests/conftest.py",
    ],
)
def test_a_build_never_sees(path: str) -> None:
    assert dockerignore.is_ignored(path)


def test_every_exception_in_dockerignore_names_something() -> None:
    names = {line.removeprefix("!") for line in dockerignore.patterns() if line[0] == "!"}
    assert {name for name in names if not (ROOT / name).exists()} == upcoming.FILES


def test_the_image_has_every_runtime_pin_and_no_tool_of_the_tests() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    direct = {Requirement(line).name for line in lines if line and line[0] not in "#-"}
    names = {pin.name for pin in locked()}
    assert {canonicalize_name(name) for name in direct - TEST_TOOLS} <= names
    assert direct >= TEST_TOOLS
    assert not names & TEST_TOOLS


def test_every_import_in_the_image_is_in_the_image(image: Image) -> None:
    there = sys.stdlib_module_names | {path.stem for path in image.app.iterdir()}
    there |= {path.name.partition(".")[0] for path in image.packages.iterdir()}
    missing = {
        f"{file} imports {name}"
        for file in image.files()
        if file.endswith(".py")
        for name in imports(image.app / file)
        if name not in there
    }
    assert missing == set()


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").partition(".")[0]


def test_the_migration_command_runs_in_the_image(image: Image) -> None:
    url = f"sqlite:///{image.data}/migrated.db"
    status, said = image.run(MIGRATE["command"], MIGRATE["working_dir"], DATABASE_URL=url)
    assert status == 0, said
    with sqlite3.connect(image.data / "migrated.db") as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    db.close()
    (image.data / "migrated.db").unlink()
    assert {"users", "audit_logs", "alembic_version"} <= tables


@pytest.mark.parametrize(("answer", "status"), [(200, 0), (503, 1), (404, 1)])
def test_the_health_check_believes_only_a_200(image: Image, answer: int, status: int) -> None:
    with somebody_who_answers(answer) as port:
        assert health_check(image, port) == status


def test_the_health_check_fails_when_nobody_answers(image: Image) -> None:
    assert health_check(image, free_port()) == 1


def test_the_health_check_asks_no_proxy_from_the_environment(image: Image) -> None:
    with somebody_who_answers(200) as port:
        assert health_check(image, port, http_proxy="http://127.0.0.1:9") == 0


def health_check(image: Image, port: int, **environment: str) -> int:
    command = [word.replace("8000", str(port)) for word in dockerfile.health_command()]
    status, _ = image.run(command, **environment)
    return status


@contextmanager
def somebody_who_answers(status: int) -> Iterator[int]:
    """A server that answers `status` to GET /livez, and 500 to all else; gives its port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/livez" else 500)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
