"""The systemd unit: systemd itself understands it and finds little left to expose."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from services.metrics_files import VARIABLE
from tests.deploy import dockerfile
from tests.deploy.workshop import DEPLOY, UNIT, contents, needs, output_of, run, unit_values

FOLDER = DEPLOY / "systemd"
SYSUSERS = FOLDER / "sysusers.conf"
NAME = UNIT.name
# In tenths: 0 is nothing exposed, 100 all of it. What it is now, so that no line gets lost.
MOST_EXPOSURE = 12
TARGETS = ("basic.target", "multi-user.target", "network-online.target", "shutdown.target")


DROP_INS = {
    "alone": [],
    "with PostgreSQL": ["postgresql.conf"],
    "with several workers": ["postgresql.conf", "workers.conf"],
}


@pytest.fixture(params=DROP_INS.values(), ids=[*DROP_INS])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A system with nothing on it but the service, installed as the document says."""
    units = tmp_path / "etc" / "systemd" / "system"
    units.mkdir(parents=True)
    shutil.copy(UNIT, units)
    for target in (*TARGETS, "sysinit.target"):
        (units / target).write_text("[Unit]\nDescription=stands for the real one\n")
    (units / f"{NAME}.d").mkdir()
    for drop_in in request.param:
        shutil.copy(FOLDER / f"{NAME}.d" / drop_in, units / f"{NAME}.d")
    python = tmp_path / "opt" / "auth-example" / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch(0o755)
    return tmp_path


@needs("systemd-analyze")
def test_systemd_understands_every_line(root: Path) -> None:
    done = run("systemd-analyze", "verify", "--man=no", f"--root={root}", NAME)
    assert (done.returncode, done.stderr) == (0, "")


@needs("systemd-analyze")
def test_systemd_finds_little_exposed(root: Path) -> None:
    options = ["--offline=true", f"--root={root}", "--no-pager", f"--threshold={MOST_EXPOSURE}"]
    output_of("systemd-analyze", "security", *options, NAME)


def test_it_runs_what_the_image_runs() -> None:
    (line,) = unit_values(UNIT, "ExecStart")
    python, *words = line.split()
    assert python == "/opt/auth-example/.venv/bin/python"
    here = {"/opt/auth-example": "/app", "127.0.0.1": "0.0.0.0"}  # noqa: S104
    assert ["python", *(here.get(word, word) for word in words)] == dockerfile.the("CMD").words


def test_only_this_host_reaches_it() -> None:
    (line,) = unit_values(UNIT, "ExecStart")
    assert "--host 127.0.0.1" in line
    assert unit_values(UNIT, "IPAddressDeny") == ["any"]
    assert unit_values(UNIT, "IPAddressAllow") == ["localhost"]


@pytest.mark.parametrize("file", [UNIT, *sorted(FOLDER.rglob("*.d/*.conf"))])
def test_every_credential_that_is_loaded_is_made_and_read(file: Path, secrets: Path) -> None:
    loaded = dict(value.split(":") for value in unit_values(file, "LoadCredential"))
    read = re.findall(r"(\w+)_FILE=%d/(\w+)", " ".join(unit_values(file, "Environment")))
    assert {name for _, name in read} == loaded.keys()
    assert all(variable.lower() == name for variable, name in read)
    assert loaded == {name: f"/etc/auth-example/secrets/{name}" for name in loaded}
    assert loaded.keys() <= contents(secrets).keys()


def test_it_may_use_what_it_calls_and_nothing_privileged() -> None:
    assert unit_values(UNIT, "SystemCallFilter") == ["@system-service", "~@privileged @resources"]
    assert unit_values(UNIT, "CapabilityBoundingSet") == [""]
    assert unit_values(UNIT, "NoNewPrivileges") == ["yes"]
    assert unit_values(UNIT, "ProtectSystem") == ["strict"]


def test_requests_under_way_have_time_to_end() -> None:
    words = dockerfile.the("CMD").words
    grace = int(words[words.index("--timeout-graceful-shutdown") + 1])
    assert int(unit_values(UNIT, "TimeoutStopSec")[0]) > grace


def test_the_user_is_the_one_that_is_made() -> None:
    (user,) = unit_values(UNIT, "User")
    lines = SYSUSERS.read_text().splitlines()
    assert [line.split()[:2] for line in lines if line[0] != "#"] == [["u", user]]


@needs("systemd-sysusers")
def test_systemd_would_make_the_user(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    rules = [line for line in SYSUSERS.read_text().splitlines() if line[0] != "#"]
    done = run("systemd-sysusers", "--dry-run", f"--root={tmp_path}", "--inline", *rules)
    assert done.returncode == 0, done.stderr
    assert "auth-example" in done.stdout + done.stderr


def test_the_log_that_is_rotated_is_the_one_that_is_written() -> None:
    (path,) = re.findall(r"LOG_FILE=%L/(\S+)", " ".join(unit_values(UNIT, "Environment")))
    (rotated,) = re.findall(r"^(/\S+) \{$", (FOLDER / "logrotate.conf").read_text(), re.MULTILINE)
    assert rotated == f"/var/log/{path}"
    assert path.partition("/")[0] in unit_values(UNIT, "LogsDirectory")


def test_the_log_stays_the_services_when_it_is_rotated() -> None:
    (user,), (group,) = unit_values(UNIT, "User"), unit_values(UNIT, "Group")
    text = (FOLDER / "logrotate.conf").read_text()
    assert f"su {user} {group}\n" in text
    assert f"create 0640 {user} {group}\n" in text


def test_several_workers_share_a_folder_for_their_metrics() -> None:
    """systemd makes the folder for the service alone, and removes it when the service stops."""
    file = FOLDER / f"{NAME}.d" / "workers.conf"
    assert unit_values(file, "RuntimeDirectory") == ["auth-example"]
    assert unit_values(file, "RuntimeDirectoryMode") == ["0700"]
    assert unit_values(file, "Environment") == [
        "WEB_CONCURRENCY=4",
        f"{VARIABLE}=%t/auth-example",
    ]
