"""The scripts, run for real in folders of their own: databases, servers and pretended machines."""

from __future__ import annotations

import contextlib
import http.server
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import reset_db

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ("DATABASE_URL", "LOG_FILE", "ORIGIN", "RP_ID", "JWT_SECRET", "PORT", "PYTHON")
PATIENCE = 90

Done = subprocess.CompletedProcess[str]


def run(
    *command: str | Path, cwd: Path, given: Mapping[str, str] | None = None, path: str | None = None
) -> Done:
    """Run to the end, with none of the settings that the tests themselves were started with."""
    bare = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    if path is not None:
        bare["PATH"] = path
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=bare | dict(given or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


# --- reset_db.py -----------------------------------------------------------------------------


def reset(folder: Path, *options: str, **settings: str) -> Done:
    return run(sys.executable, ROOT / "reset_db.py", *options, cwd=folder, given=settings)


def make_database(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE users (id TEXT)")


def state(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """A folder that a service has run in."""
    make_database(tmp_path / "app.db")
    (tmp_path / "app.log").write_text("{}\n")
    return tmp_path


@contextlib.contextmanager
def held_open(database: Path, journal: str) -> Iterator[subprocess.Popen[str]]:
    """Another process with a connection that has been used once and is idle now."""
    script = (
        "import sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1])\n"
        "connection.execute(f'PRAGMA journal_mode={sys.argv[2]}').fetchall()\n"
        "connection.execute('SELECT * FROM users').fetchall()\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(database), journal]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.communicate()


def test_reset_deletes_the_database_and_the_log_and_says_so(used: Path) -> None:
    done = reset(used)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["Deleted app.db", "Deleted app.log"]
    assert state(used) == {}


def test_reset_says_when_there_was_nothing_to_delete(tmp_path: Path) -> None:
    done = reset(tmp_path)
    assert done.returncode == 0
    assert done.stdout == "Nothing to delete: neither app.db nor app.log is there.\n"


def test_reset_deletes_what_sqlite_left_beside_the_database_and_nothing_else(used: Path) -> None:
    for name in ("app.db-wal", "app.db-shm", "app.db-journal"):
        (used / name).touch()
    for name in ("other.db", "app.db.backup", "app.log.1"):
        (used / name).touch()
    assert reset(used).returncode == 0
    assert state(used).keys() == {"other.db", "app.db.backup", "app.log.1"}


def test_reset_deletes_a_log_that_would_be_replayed_into_the_next_database(tmp_path: Path) -> None:
    (tmp_path / "app.db-wal").write_bytes(b"7\x7f\x06\x82")
    assert reset(tmp_path).stdout == "Deleted app.db-wal\n"
    assert state(tmp_path) == {}


def test_reset_deletes_an_empty_database(tmp_path: Path) -> None:
    (tmp_path / "app.db").touch()
    assert reset(tmp_path).stdout == "Deleted app.db\n"


def test_reset_deletes_a_damaged_database(used: Path) -> None:
    (used / "app.db").write_bytes(b"SQLite format 3\x00" + b"\xff" * 4096)
    assert reset(used).returncode == 0
    assert state(used) == {}


def test_reset_honours_the_settings_of_the_service(used: Path) -> None:
    make_database(used / "mine here.db")
    (used / "mine.log").touch()
    done = reset(used, DATABASE_URL="sqlite:///./mine%20here.db", LOG_FILE="mine.log")
    assert done.stdout.splitlines() == ["Deleted mine here.db", "Deleted mine.log"]
    assert state(used).keys() == {"app.db", "app.log"}


def test_reset_takes_an_absolute_path(used: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    database = used / "app.db"
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    done = reset(elsewhere, DATABASE_URL=f"sqlite:///{database}")
    assert done.stdout == f"Deleted {database}\n"


def test_reset_reads_settings_that_are_given_as_files(used: Path) -> None:
    make_database(used / "secret.db")
    (used / "url").write_text("sqlite:///secret.db\n")
    assert reset(used, DATABASE_URL_FILE="url").stdout.startswith("Deleted secret.db\n")
    assert (used / "app.db").exists()


def test_reset_refuses_when_a_settings_file_cannot_be_read(used: Path) -> None:
    done = reset(used, DATABASE_URL_FILE="missing")
    assert_refused(done, used, "DATABASE_URL_FILE cannot be read: FileNotFoundError.")


def assert_refused(done: Done, folder: Path, reason: str) -> None:
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Refused: {reason}\n"
    assert state(folder).keys() >= {"app.db", "app.log"}


def test_reset_refuses_another_kind_of_database_without_repeating_its_password(used: Path) -> None:
    done = reset(used, "--force", DATABASE_URL="postgresql://auth:hunter2@localhost/auth")
    reason = "DATABASE_URL is postgresql, and this script deletes SQLite files only."
    assert_refused(done, used, reason)


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file:app.db?uri=true"]
)
def test_reset_refuses_an_url_that_names_no_plain_file(used: Path, url: str) -> None:
    assert_refused(
        reset(used, DATABASE_URL=url), used, "DATABASE_URL does not name a plain SQLite file."
    )


def test_reset_refuses_a_file_that_is_no_database(used: Path) -> None:
    (used / "notes.txt").write_text("SQLite format: see the manual")
    done = reset(used, "--force", DATABASE_URL="sqlite:///notes.txt")
    assert_refused(done, used, "notes.txt is not an SQLite database.")
    assert (used / "notes.txt").exists()


@pytest.mark.parametrize("setting", ["database", "log"])
def test_reset_follows_no_symbolic_link(used: Path, setting: str) -> None:
    (used / "link").symlink_to("app.db" if setting == "database" else "app.log")
    settings = {"database": {"DATABASE_URL": "sqlite:///link"}, "log": {"LOG_FILE": "link"}}
    done = reset(used, "--force", **settings[setting])
    assert_refused(done, used, "link is a symbolic link, and only regular files are deleted.")


def test_reset_refuses_a_folder_and_then_deletes_nothing_at_all(used: Path) -> None:
    (used / "logs").mkdir()
    done = reset(used, LOG_FILE="logs")
    assert_refused(done, used, "logs is not a regular file, and only regular files are deleted.")


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_reset_refuses_while_another_process_has_the_database_open(
    used: Path, journal: str
) -> None:
    with held_open(used / "app.db", journal) as process:
        before = state(used)
        done = reset(used)
        assert done.returncode == 1
        assert f"app.db is open in process {process.pid}" in done.stderr
        assert "--force" in done.stderr
        assert state(used) == before
    assert reset(used).returncode == 0


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_reset_can_be_forced_and_then_asks_for_a_restart(used: Path, journal: str) -> None:
    with held_open(used / "app.db", journal) as process:
        done = reset(used, "--force")
        assert done.returncode == 0
        assert f"It was open in process {process.pid}" in done.stdout
        assert state(used) == {}


def test_reset_sees_a_lock_where_it_cannot_see_processes(
    used: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blind(used, monkeypatch)
    with held_open(used / "app.db", "wal"):
        before = state(used)
        assert reset_db.main([], {}) == 1
        assert state(used) == before
    assert "app.db is open in another process" in capsys.readouterr().err
    assert reset_db.main([], {}) == 0


def blind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in another user's container: no process list, no tool that has one."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(reset_db, "PROC", folder / "no-proc")
    monkeypatch.setenv("PATH", "")


@pytest.mark.skipif(shutil.which("lsof") is None, reason="lsof is not installed")
def test_reset_asks_lsof_where_there_is_no_proc(
    used: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(used)
    monkeypatch.setattr(reset_db, "PROC", used / "no-proc")
    with held_open(used / "app.db", "delete") as process:
        assert reset_db.main([], {}) == 1
    assert f"app.db is open in process {process.pid}." in capsys.readouterr().err


def test_reset_rejects_an_unknown_option(used: Path) -> None:
    done = reset(used, "--yes")
    assert done.returncode == 2
    assert state(used).keys() == {"app.db", "app.log"}


# --- reset.sh --------------------------------------------------------------------------------


class Checkout:
    """A copy of the tree, with a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pid_file = folder / ".server.pid"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])

    def reset(self, **settings: str) -> Done:
        given = {"PORT": str(self.port), "PYTHON": sys.executable} | settings
        return run(self.folder / "reset.sh", cwd=self.folder.parent, given=given)

    @property
    def pid(self) -> int:
        return int(self.pid_file.read_text().split()[0])

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://localhost:{self.port}/", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def leave_a_trace(self) -> None:
        with contextlib.closing(sqlite3.connect(self.folder / "app.db")) as database:
            database.execute("CREATE TABLE trace (id TEXT)")

    def tables(self) -> set[str]:
        with contextlib.closing(sqlite3.connect(self.folder / "app.db")) as database:
            return {name for (name,) in database.execute("SELECT name FROM sqlite_master")}

    def stop(self) -> None:
        if self.pid_file.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    left_out = shutil.ignore_patterns(
        ".*",
        "__pycache__",
        "docs",
        "tests",
        "assurance",
        "bench",
        "mutants",
        "*.db*",
        "*.log",
        "server.out",
    )
    checkout = Checkout(Path(shutil.copytree(ROOT, tmp_path / "checkout", ignore=left_out)))
    yield checkout
    checkout.stop()


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not collected yet does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc").exists()


def test_reset_sh_starts_the_service_and_says_where(checkout: Checkout) -> None:
    done = checkout.reset()
    assert (done.returncode, done.stderr) == (0, "")
    last = f"Serving http://localhost:{checkout.port} (process {checkout.pid})"
    assert done.stdout.splitlines()[-1].startswith(last)
    assert checkout.answers()
    assert f"http://localhost:{checkout.port}" in (checkout.folder / "server.out").read_text()


def test_reset_sh_replaces_the_server_it_started_and_its_data(checkout: Checkout) -> None:
    checkout.reset()
    first = checkout.pid
    checkout.leave_a_trace()
    done = checkout.reset()
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Stopped the server (process {first})\nDeleted app.db\n" in done.stdout
    assert checkout.pid != first
    assert not alive(first)
    assert checkout.answers()
    assert "users" in checkout.tables()
    assert "trace" not in checkout.tables()


def test_reset_db_refuses_while_the_service_runs_even_unused(checkout: Checkout) -> None:
    checkout.reset()
    done = reset(checkout.folder)
    assert done.returncode == 1
    assert f"app.db is open in process {checkout.pid}" in done.stderr
    assert "users" in checkout.tables()


def test_reset_sh_leaves_a_foreign_server_and_the_data_alone(checkout: Checkout) -> None:
    make_database(checkout.folder / "app.db")
    handler = http.server.SimpleHTTPRequestHandler
    with http.server.HTTPServer(("127.0.0.1", checkout.port), handler) as foreign:
        threading.Thread(target=foreign.serve_forever, daemon=True).start()
        done = checkout.reset()
        assert done.returncode == 1
        assert f"Port {checkout.port} is held by a server" in done.stderr
        assert checkout.answers()
        foreign.shutdown()
    assert (checkout.folder / "app.db").exists()
    assert not checkout.pid_file.exists()


def test_reset_sh_does_not_stop_a_service_somebody_else_started(checkout: Checkout) -> None:
    checkout.reset()
    server = checkout.pid
    checkout.pid_file.rename(checkout.folder / "kept")
    done = checkout.reset()
    (checkout.folder / "kept").rename(checkout.pid_file)
    assert done.returncode == 1
    assert alive(server)
    assert "users" in checkout.tables()


def test_reset_sh_stops_no_process_that_was_given_the_same_number(checkout: Checkout) -> None:
    with subprocess.Popen(["sleep", "60"]) as bystander:
        checkout.pid_file.write_text(f"{bystander.pid}\n1\n")
        assert checkout.reset().returncode == 0
        assert bystander.poll() is None
        bystander.kill()


def test_reset_sh_stops_no_server_with_another_start_time(checkout: Checkout) -> None:
    checkout.reset()
    recorded = checkout.pid_file.read_text()
    checkout.pid_file.write_text(f"{checkout.pid}\n1\n")
    done = checkout.reset()
    checkout.pid_file.write_text(recorded)
    assert done.returncode == 1
    assert checkout.answers()


def test_reset_sh_stops_nothing_but_uvicorn_though_number_and_start_agree(
    checkout: Checkout,
) -> None:
    started = 'eval "$(sed -n "/^say()/p; /^started()/,/^}/p" reset.sh)"; started "$1"'
    with subprocess.Popen(["sleep", "60"]) as bystander:
        asked = run("bash", "-c", started, "bash", str(bystander.pid), cwd=checkout.folder)
        assert asked.stdout.strip()
        checkout.pid_file.write_text(f"{bystander.pid}\n{asked.stdout}")
        assert checkout.reset().returncode == 0
        assert bystander.poll() is None
        bystander.kill()


@pytest.mark.parametrize("junk", ["", "\n", "junk\n1\n", "-1\n1\n", "1; reboot\n1\n", "1"])
def test_reset_sh_is_not_misled_by_a_damaged_pid_file(checkout: Checkout, junk: str) -> None:
    checkout.pid_file.write_text(junk)
    assert checkout.reset(RP_ID="UPPER").returncode == 1
    assert not checkout.pid_file.exists()


def test_reset_sh_tells_why_the_service_did_not_start(checkout: Checkout) -> None:
    done = checkout.reset(RP_ID="example.org")
    assert done.returncode == 1
    assert "RP_ID" in done.stderr
    assert "The server did not start" in done.stderr
    assert not checkout.pid_file.exists()


@pytest.mark.parametrize("port", ["http", "80 80", "-1", "0", "100000"])
def test_reset_sh_refuses_what_is_no_port(checkout: Checkout, port: str) -> None:
    done = checkout.reset(PORT=port)
    assert (done.returncode, done.stderr) == (1, f"PORT={port} is not a port number.\n")


# --- the helpers behind make -----------------------------------------------------------------


PINS = ("requirements.txt", "requirements-otel.txt", "requirements-dev.txt", "constraints.txt")


class Machine:
    """A pretended machine: nothing is on its PATH but a shell's basics and what a test adds."""

    BASICS = ("sh", "env", "cat", "cksum", "dirname", "mktemp", "rm", "mkdir", "tail", "chmod")

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commands = folder / "bin"
        self.commands.mkdir()
        for name in self.BASICS:
            found = shutil.which(name)
            assert found is not None
            (self.commands / name).symlink_to(found)

    def add(self, name: str, script: str) -> Path:
        command = self.commands / name
        command.write_text(f"#!/bin/sh\n{script}\n")
        command.chmod(0o755)
        return command

    def run(self, script: str, *arguments: str, **given: str) -> Done:
        shell, path = self.commands / "sh", self.folder / "scripts" / script
        home = {"HOME": str(self.folder), "CI": "", "CHROMIUM_PATH": ""}
        return run(
            shell, path, *arguments, cwd=self.folder, given=home | given, path=str(self.commands)
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    for name in PINS:
        shutil.copy(ROOT / name, tmp_path)
    return Machine(tmp_path)


def test_find_python_prints_the_first_that_is_new_enough(machine: Machine) -> None:
    machine.add("python3", "exit 1")  # too old, or a version manager's stand-in
    machine.add("python3.13", f'exec {sys.executable} "$@"')
    assert machine.run("find-python.sh").stdout == "python3.13\n"


def test_find_python_says_how_to_get_one(machine: Machine) -> None:
    done = machine.run("find-python.sh")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("No Python 3.11 or newer was found.")
    assert "PYTHON=/path/to/python3" in done.stderr


def test_find_python_takes_no_other_than_the_one_asked_for(machine: Machine) -> None:
    machine.add("python3", "exit 0")
    machine.add("old", "exit 1")
    done = machine.run("find-python.sh", PYTHON="old")
    assert done.returncode == 1
    assert done.stderr == "PYTHON=old does not run, or is older than Python 3.11.\n"


# Makes an environment out of itself, and notes what pip is asked for.
PRETENDED_PYTHON = """
case "$*" in
    "--version") echo "Python 3.12.0" ;;
    "-m venv "*) mkdir -p "$3/bin" && cat "$0" >"$3/bin/python" && chmod +x "$3/bin/python" ;;
    "-m pip "*) echo "$*" >>pip.log ;;
esac
"""


def test_the_environment_is_made_once_and_kept(machine: Machine) -> None:
    machine.add("python3", PRETENDED_PYTHON)
    first, second = (machine.run("venv.sh", "requirements.txt") for _ in range(2))
    assert (first.returncode, first.stderr, second.returncode) == (0, "", 0)
    assert first.stdout.splitlines() == [
        "Making .venv with Python 3.12.0 ...",
        "Installing requirements.txt into .venv ...",
    ]
    assert second.stdout == ""
    assert len((machine.folder / "pip.log").read_text().splitlines()) == 1


@pytest.mark.parametrize("file", PINS)
def test_a_changed_pin_is_installed(machine: Machine, file: str) -> None:
    machine.add("python3", PRETENDED_PYTHON)
    machine.run("venv.sh", "requirements-dev.txt")
    with (machine.folder / file).open("a") as requirements:
        requirements.write("another==1.0\n")
    done = machine.run("venv.sh", "requirements-dev.txt")
    assert done.stdout == "Installing requirements-dev.txt into .venv ...\n"


def test_an_installation_that_failed_is_tried_again(machine: Machine) -> None:
    machine.add("python3", PRETENDED_PYTHON.replace('echo "$*"', 'exit 1; echo "$*"'))
    assert machine.run("venv.sh", "requirements.txt").returncode != 0
    again = machine.run("venv.sh", "requirements.txt")
    assert again.returncode != 0
    assert again.stdout == "Installing requirements.txt into .venv ...\n"


def test_pip_is_given_no_place_to_look(machine: Machine) -> None:
    machine.add("python3", PRETENDED_PYTHON)
    machine.run("venv.sh", "requirements.txt")
    asked = (machine.folder / "pip.log").read_text()
    assert "install -r requirements.txt" in asked
    assert not {"-i", "-f", "--index-url", "--extra-index-url", "--find-links"} & set(asked.split())


def test_a_python_without_venv_is_explained_and_leaves_nothing_half_made(machine: Machine) -> None:
    machine.add("python3", 'case "$*" in "-m "*) echo "no ensurepip" >&2; exit 1 ;; esac')
    done = machine.run("venv.sh", "requirements.txt")
    assert done.returncode == 1
    assert "no ensurepip" in done.stderr
    assert "apt-get install python3-venv" in done.stderr
    assert not (machine.folder / ".venv").exists()


elsewhere = pytest.mark.skipif(
    sys.platform != "linux", reason="a browser in /Applications cannot be pretended away"
)


def test_a_browser_that_is_there_is_left_alone_in_silence(machine: Machine) -> None:
    machine.add("chromium", "exit 99")
    done = machine.run("ensure-browser.sh", CI="true")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@elsewhere
@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_a_missing_browser_is_explained_and_fails_in_ci_alone(
    machine: Machine, ci: str, code: int
) -> None:
    done = machine.run("ensure-browser.sh", CI=ci)
    assert (done.returncode, done.stdout) == (code, "")
    assert "apt-get install chromium" in done.stderr


@elsewhere
@pytest.mark.parametrize("package", ["chromium", "chromium-browser"])
def test_a_missing_browser_is_installed_where_that_needs_no_password(
    machine: Machine, package: str
) -> None:
    machine.add("id", "echo 0")
    machine.add("firefox-esr", "exit 99")
    machine.add(
        "apt-get",
        f'case "$*" in *" {package} "*) echo >bin/{package} && chmod +x bin/{package};; '
        "*update) ;; *) exit 100;; esac",
    )
    done = machine.run("ensure-browser.sh", CI="true")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Installing Chromium for the browser tests ...\n"


@elsewhere
def test_a_second_engine_is_installed_for_ci_and_for_nobody_else(machine: Machine) -> None:
    """A shell function called firefox was found by `command -v firefox`, and nothing installed."""
    machine.add("chromium", "exit 99")
    machine.add("id", "echo 0")
    machine.add(
        "apt-get",
        'case "$*" in *firefox-esr*) echo >bin/firefox-esr && chmod +x bin/firefox-esr;; esac',
    )
    assert machine.run("ensure-browser.sh").stdout == ""
    done = machine.run("ensure-browser.sh", CI="true")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Installing Firefox for one browser test ...\n"
    assert machine.run("ensure-browser.sh", CI="true").stdout == ""


@elsewhere
def test_nothing_is_installed_where_a_password_would_be_asked_for(machine: Machine) -> None:
    machine.add("id", "echo 1000")
    machine.add("sudo", "exit 1")
    machine.add("apt-get", "echo >called")
    assert machine.run("ensure-browser.sh").returncode == 0
    assert not (machine.folder / "called").exists()


@elsewhere
def test_an_installation_that_fails_shows_what_apt_said(machine: Machine) -> None:
    machine.add("id", "echo 0")
    machine.add("apt-get", "echo 'E: no such package' >&2; exit 100")
    done = machine.run("ensure-browser.sh", CI="true")
    assert done.returncode == 1
    assert "E: no such package" in done.stderr


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_a_browser_asked_for_by_path_is_not_replaced(machine: Machine, ci: str, code: int) -> None:
    machine.add("chromium", "exit 0")
    done = machine.run("ensure-browser.sh", CI=ci, CHROMIUM_PATH="/no/such/browser")
    assert done.returncode == code
    assert "CHROMIUM_PATH=/no/such/browser cannot be run" in done.stderr


# --- make and CI -----------------------------------------------------------------------------


def test_make_lists_its_targets() -> None:
    done = run("make", "--no-print-directory", cwd=ROOT)
    assert done.returncode == 0
    assert all(line.startswith("  make ") for line in done.stdout.splitlines())
    assert {line.split()[1] for line in done.stdout.splitlines()} >= {"run", "test", "reset"}


def test_make_run_serves_the_port_asked_for_and_trusts_no_headers() -> None:
    done = run("make", "--dry-run", "run", "PORT=8123", cwd=ROOT)
    assert "--host 127.0.0.1 --port 8123 --no-proxy-headers --no-server-header" in done.stdout
    assert "http://localhost:8123" in done.stdout


def test_ci_fails_when_make_does(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    (tmp_path / "scripts").mkdir()
    services = tmp_path / "scripts" / "ensure-services.sh"
    services.write_text("#!/bin/sh\n")
    services.chmod(0o755)
    (tmp_path / "Makefile").write_text("develop chromium:\n\ntest:\n\t@echo CI=$$CI; exit 5\n")
    done = run(tmp_path / ".ci" / "run", cwd=tmp_path.parent)
    assert done.returncode != 0
    assert "CI=true" in done.stdout
    assert "Done" not in done.stdout


def test_alembic_finds_its_settings_without_an_ini_file(tmp_path: Path) -> None:
    database = {"DATABASE_URL": f"sqlite:///{tmp_path}/new.db"}
    done = run(sys.executable, "-m", "alembic", "upgrade", "head", cwd=ROOT, given=database)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "new.db").stat().st_size > 0


SHELL_SCRIPTS = ["reset.sh", ".ci/run", *(f"scripts/{p.name}" for p in ROOT.glob("scripts/*.sh"))]


@pytest.mark.parametrize("script", SHELL_SCRIPTS)
def test_a_shell_script_is_sound(script: str) -> None:
    path = ROOT / script
    interpreter = path.read_text().splitlines()[0].split("/")[-1].split()[-1]
    assert os.access(path, os.X_OK)
    assert run(interpreter, "-n", path, cwd=ROOT).returncode == 0
    if shutil.which("shellcheck"):
        assert run("shellcheck", path, cwd=ROOT).stdout == ""
