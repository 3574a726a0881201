"""reset.sh stops the server that it started, and only that one, and starts it anew."""

from __future__ import annotations

import contextlib
import http.server
import os
import pty
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operations.commands import ROOT, Done, run
from tests.operations.test_reset_db import make_database
from tests.support.process import free_port

# Stands in for Python: in place of the service it starts something that listens on the port.
STAND_IN = f"""#!/bin/sh
case "$*" in
    *"-m uvicorn"*)
        [ -z "${{REFUSE:-}}" ] || {{ echo "$REFUSE" >&2; exit 3; }}
        exec {sys.executable} "$1" "$2" -S -c '
import os, socket
with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))) as server:
    while True:
        server.accept()[0].close()
' ;;
    *) exec {sys.executable} "$@" ;;
esac
"""


class Checkout:
    """A copy of what the script needs, with a port of its own."""

    def __init__(self, folder: Path, python: str) -> None:
        self.folder, self.port = folder, free_port()
        self.pid_file = folder / ".server.pid"
        self.settings = {"PORT": str(self.port), "PYTHON": python}

    def reset(self, *options: str, **settings: str) -> Done:
        """Run it from another folder, without a terminal."""
        command = (str(self.folder / "reset.sh"), *options)
        return run(*command, cwd=self.folder.parent, given=self.settings | settings)

    def reset_at_a_terminal(self, typed: str, *options: str) -> tuple[int, str]:
        """The exit code and what it printed, of somebody who types this."""
        ours, theirs = pty.openpty()
        try:
            os.write(ours, typed.encode())
            done = subprocess.run(
                [str(self.folder / "reset.sh"), *options],
                env={**os.environ, **self.settings},
                stdin=theirs,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        finally:
            os.close(ours)
            os.close(theirs)
        return done.returncode, done.stdout + done.stderr

    @property
    def pid(self) -> int:
        return int(self.pid_file.read_text().split()[0])

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://localhost:{self.port}/", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        with contextlib.suppress(OSError, IndexError, ValueError):
            os.kill(self.pid, signal.SIGKILL)


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """With a stand-in for the service, a database and a log."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("reset.sh", "reset_db.py"):
        shutil.copy(ROOT / name, folder)
    python = tmp_path / "python"
    python.write_text(STAND_IN)
    python.chmod(0o755)
    make_database(folder / "app.db")
    (folder / "app.log").touch()
    checkout = Checkout(folder, str(python))
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


def test_the_real_service_is_replaced_and_its_data_with_it(tmp_path: Path) -> None:
    left_out = shutil.ignore_patterns(
        ".*", "__pycache__", "docs", "tests", "bench", "*.db*", "*.log", "server.out"
    )
    folder = Path(shutil.copytree(ROOT, tmp_path / "checkout", ignore=left_out))
    checkout = Checkout(folder, sys.executable)
    try:
        done = checkout.reset()
        assert (done.returncode, done.stderr) == (0, "")
        first = checkout.pid
        serving = f"Serving http://localhost:{checkout.port} (process {first})"
        assert done.stdout.splitlines()[-1].startswith(serving)
        assert checkout.answers()
        # Nobody has used the service yet, and still its database is open.
        refused = run(sys.executable, "reset_db.py", cwd=folder)
        assert (refused.returncode, refused.stdout) == (1, "")
        done = checkout.reset()
        assert (done.returncode, done.stderr) == (0, "")
        assert f"Stopped the server (process {first})\nDeleted app.db\n" in done.stdout
        assert (checkout.pid != first, alive(first), checkout.answers()) == (True, False, True)
    finally:
        checkout.stop()


def test_it_tells_why_the_service_did_not_start(checkout: Checkout) -> None:
    done = checkout.reset(REFUSE="RP_ID is wrong")
    assert done.returncode == 1
    assert done.stderr.startswith("RP_ID is wrong\nThe server did not start")
    assert not checkout.pid_file.exists()


@pytest.mark.parametrize("option", ["--help", "-h", "--bogus", "reset", "--yes please"])
def test_help_and_unknown_options_delete_nothing(checkout: Checkout, option: str) -> None:
    done = checkout.reset(*option.split())
    is_help = option in ("--help", "-h")
    assert done.returncode == (0 if is_help else 2)
    said = done.stdout if is_help else done.stderr
    assert said.startswith("Usage: ./reset.sh [--yes]\n")
    assert (checkout.folder / "app.db").exists()
    assert not checkout.pid_file.exists()


@pytest.mark.parametrize("typed", ["n\n", "\n", "\x04"], ids=["no", "nothing", "the end"])
def test_at_a_terminal_it_asks_before_it_deletes(checkout: Checkout, typed: str) -> None:
    checkout.reset()
    make_database(checkout.folder / "app.db")
    code, said = checkout.reset_at_a_terminal(typed)
    assert code == 1
    assert "This deletes:\napp.db\nGo on? [y/N] Nothing was deleted." in said
    assert (checkout.folder / "app.db").exists()
    assert alive(checkout.pid)


@pytest.mark.parametrize(("typed", "options"), [("y\n", []), ("", ["--yes"])])
def test_who_says_yes_is_not_asked_again(
    checkout: Checkout, typed: str, options: list[str]
) -> None:
    code, said = checkout.reset_at_a_terminal(typed, *options)
    assert code == 0
    assert ("Go on?" in said) == bool(typed)
    assert "Deleted app.db\nDeleted app.log\nServing" in said


def test_where_there_is_nothing_to_lose_nobody_is_asked(checkout: Checkout) -> None:
    (checkout.folder / "app.db").unlink()
    (checkout.folder / "app.log").unlink()
    code, said = checkout.reset_at_a_terminal("")
    assert (code, "Go on?" in said) == (0, False)


def test_it_leaves_a_foreign_server_and_the_data_alone(checkout: Checkout) -> None:
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


@pytest.mark.parametrize("noted", [None, "{pid}\n", "{pid}\nreset-1-1-1\n"])
def test_it_does_not_stop_a_server_that_it_did_not_note(
    checkout: Checkout, noted: str | None
) -> None:
    """The number of a process alone proves nothing."""
    checkout.reset()
    server, kept = checkout.pid, checkout.pid_file.read_text()
    checkout.pid_file.unlink()
    if noted is not None:
        checkout.pid_file.write_text(noted.format(pid=server))
    done = checkout.reset()
    checkout.pid_file.write_text(kept)
    assert (done.returncode, alive(server)) == (1, True)


def test_it_stops_no_process_that_was_given_the_number_of_the_server(checkout: Checkout) -> None:
    checkout.reset()
    mark = checkout.pid_file.read_text().split()[1]
    checkout.stop()
    with subprocess.Popen(["sleep", "60"]) as bystander:
        checkout.pid_file.write_text(f"{bystander.pid}\n{mark}\n")
        assert checkout.reset().returncode == 0
        assert bystander.poll() is None
        bystander.kill()


@pytest.mark.parametrize("junk", ["", "\n", "junk\n1\n", "-1\n1\n", "1; reboot\n1\n", "1"])
def test_it_is_not_misled_by_a_damaged_note(checkout: Checkout, junk: str) -> None:
    checkout.pid_file.write_text(junk)
    assert checkout.reset(REFUSE="no").returncode == 1
    assert not checkout.pid_file.exists()


@pytest.mark.parametrize("port", ["http", "80 80", "-1", "0", "100000"])
def test_it_refuses_what_is_no_port(checkout: Checkout, port: str) -> None:
    done = checkout.reset(PORT=port)
    assert (done.returncode, done.stderr) == (1, f"PORT={port} is not a port number.\n")


def test_it_refuses_another_database_before_it_stops_the_server(checkout: Checkout) -> None:
    checkout.reset()
    done = checkout.reset(DATABASE_URL="postgresql://auth:hunter2@localhost/auth")
    assert (done.returncode, alive(checkout.pid)) == (1, True)
    assert "hunter2" not in done.stderr
