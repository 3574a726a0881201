"""The helpers behind make, run for real on pretended machines; make and CI themselves."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.operations.commands import ROOT, Done, run

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
        home = {"HOME": str(self.folder), "CI": "", "CHROMIUM_PATH": "", "REQUIRED": ""}
        home |= {"TEST_POSTGRES": "", "TEST_REDIS": ""}
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


@elsewhere
def test_make_test_names_its_browser_and_fails_in_words_without_one(machine: Machine) -> None:
    machine.add("id", "echo 1000")
    machine.add("sudo", "exit 1")
    missing = machine.run("ensure-browser.sh", REQUIRED="true")
    assert missing.returncode == 1
    assert "apt-get install chromium" in missing.stderr
    assert "'make test' needs a Chromium; 'make unit' runs the tests" in missing.stderr
    chromium = machine.add("chromium", "exit 99")
    found = machine.run("ensure-browser.sh", REQUIRED="true")
    assert (found.returncode, found.stdout) == (0, f"The browser tests use {chromium}.\n")


# Answers whether a port is open: `python3 -c "... ('127.0.0.1', PORT) ..."` in ensure-services.sh.
OPEN_PORTS = 'case "$*" in {} ) exit 0 ;; *) exit 1 ;; esac'


def test_make_test_names_its_servers(machine: Machine) -> None:
    machine.add("python3", OPEN_PORTS.format("*5432*|*6379*"))
    assert machine.run("ensure-services.sh").stdout == ""
    done = machine.run("ensure-services.sh", REQUIRED="true", TEST_REDIS="redis://elsewhere/1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "postgresql://postgres@127.0.0.1:5432 and redis://elsewhere/1." in done.stdout


@pytest.mark.parametrize(
    ("given", "code"), [({}, 0), ({"REQUIRED": "true"}, 1), ({"CI": "true"}, 1)]
)
def test_a_missing_server_is_named_and_fails_where_it_is_required(
    machine: Machine, given: dict[str, str], code: int
) -> None:
    machine.add("python3", OPEN_PORTS.format("*5432*"))
    machine.add("id", "echo 1000")
    done = machine.run("ensure-services.sh", **given)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("Not there: Redis (127.0.0.1:6379).")
    assert ("'make unit'" in done.stderr) == ("REQUIRED" in given)


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_a_browser_asked_for_by_path_is_not_replaced(machine: Machine, ci: str, code: int) -> None:
    machine.add("chromium", "exit 0")
    done = machine.run("ensure-browser.sh", CI=ci, CHROMIUM_PATH="/no/such/browser")
    assert done.returncode == code
    assert "CHROMIUM_PATH=/no/such/browser cannot be run" in done.stderr


# --- make and CI -----------------------------------------------------------------------------


def test_make_lists_each_target_once_in_groups() -> None:
    done = run("make", "--no-print-directory", cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    groups = {
        title: [line.split()[1] for line in targets if line.startswith("  make ")]
        for title, *targets in (block.splitlines() for block in done.stdout.split("\n\n"))
    }
    assert list(groups) == ["Use", "Test", "Measure", "Maintain"]
    listed = [target for targets in groups.values() for target in targets]
    assert len(listed) == len(set(listed)) == done.stdout.count("  make ")
    assert "run" in groups["Use"]
    assert "test" in groups["Test"]
    assert "bench" in groups["Measure"]
    assert "pins" in groups["Maintain"]


def test_every_target_of_make_is_listed_or_a_part_of_others() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):(?! export)", makefile, re.MULTILINE))
    listed = set(re.findall(r"^([a-z-]+):.* ## ", makefile, re.MULTILINE))
    assert targets - listed == {"help", "runtime", "develop", "chromium", "services"}
    phony = makefile.partition(".PHONY: ")[2].partition("\n\n")[0].replace("\\\n", " ")
    assert set(phony.split()) == targets


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
