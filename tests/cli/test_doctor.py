"""`python -m cli doctor`: one run finds all that is wrong, says how to fix it, shows no secret."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from cli.__main__ import main
from cli.doctor import configuration, database, files, redis, runtime
from cli.doctor.command import CHECKS, diagnose
from cli.doctor.findings import Finding, Installation, clock_skew, ok, run_check
from core.database.schema_version import upgrade
from core.settings import Settings

SECRET = "f3b1c9e07a5d42868b0e1d7c94a6f2583e5b7a90c1d8f64237e9ab0c5d1f8e36"
OTHER = "0d9c8b7a6f5e4d3c2b1a09f8e7d6c5b4a3928170f6e5d4c3b2a1908f7e6d5c4b"
PUBLIC = {
    "ENVIRONMENT": "production",
    "JWT_SECRET": SECRET,
    "DECOY_SECRET": OTHER,
    "RP_ID": "example.com",
    "ORIGIN": "https://example.com",
    "TRUSTED_PROXIES": "10.0.0.0/8",
}
PASSWORD = "hunter2"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a service that is about to start."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def report(environment: dict[str, str], level: str = "", workers: int | None = None) -> str:
    """The lines of all findings, or of those of one level."""
    findings = diagnose(environment, workers)
    return "\n".join(found.line() for found in findings if level in ("", found.level))


def make_database(folder: Path) -> Path:
    engine = create_engine(
        f"sqlite:///{folder}/app.db", poolclass=NullPool, connect_args={"isolation_level": None}
    )
    upgrade(engine)
    engine.dispose()
    return folder / "app.db"


def sql(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_sound_installation_is_well(home: Path) -> None:
    """No failure, and no warning but the one about the user who runs the tests."""
    make_database(home)
    assert report(PUBLIC, "fail") == ""
    warnings = [line for line in report(PUBLIC, "warn").splitlines() if line.split()[1] != "user"]
    assert warnings == []
    assert "every table can be read and written" in report(PUBLIC)


def test_the_defaults_warn_and_fail_nothing(home: Path) -> None:
    """A fresh clone."""
    assert report({}, "fail") == ""
    assert "the development secret is public" in report({}, "warn")
    assert list(home.iterdir()) == []


def test_one_run_reports_everything_that_is_wrong(home: Path) -> None:
    """Settings, contradictions, files and servers: one problem does not hide the next."""
    wrong = {
        "JWT_SECRET": "short",
        "JWT_EXPIRATION_MINUTES": "never",
        "ORIGIN": "https://example.org",
        "RP_ID": "example.com",
        "DECOY_SECRET_FILE": "/nowhere",
        "LOG_FILE": "/nowhere/app.log",
        "DATABASE_URL": "sqlite:////nowhere/app.db",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "TRUSTED_PROXIES": "0.0.0.0/0",
    }
    failures = report(wrong, "fail")
    for word in (
        "JWT_SECRET has 5 bytes",
        "JWT_EXPIRATION_MINUTES",
        "ORIGIN https://example.org does not lie under",
        "DECOY_SECRET_FILE cannot be read",
        "the folder of LOG_FILE",
        "the folder of the database",
        "redis://127.0.0.1:1/0 gives no answer",
        "0.0.0.0/0 trusts everyone",
    ):
        assert word in failures


# Settings with which the service starts, and what the doctor says about them.
OPINIONS: dict[str, tuple[dict[str, str], str, str]] = {
    "no decoy secret": ({"DECOY_SECRET": ""}, "warn", "Set DECOY_SECRET before that"),
    "rotated without one": (
        {"DECOY_SECRET": "", "JWT_SECRET_PREVIOUS": OTHER},
        "warn",
        "rotated without DECOY_SECRET",
    ),
    "a rotation under way": ({"JWT_SECRET_PREVIOUS": SECRET[::-1]}, "warn", "remove it 60 minutes"),
    "a secret in words": (
        {"JWT_SECRET": "my-very-long-secret-for-production-use"},
        "warn",
        "JWT_SECRET looks written by hand",
    ),
    "https in development": ({"ENVIRONMENT": ""}, "warn", "ENVIRONMENT is not production"),
    "docs in production": ({"SERVE_DOCS": "true"}, "warn", "SERVE_DOCS shows"),
    "unknown emails revealed": (
        {"DANGER_REVEAL_UNKNOWN_EMAIL": "true"},
        "warn",
        "DANGER_REVEAL_UNKNOWN_EMAIL is on",
    ),
    "a public suffix": (
        {"RP_ID": "co.uk", "ORIGIN": "https://example.co.uk"},
        "fail",
        "co.uk is a public suffix",
    ),
    "no trusted proxy": (
        {"ENVIRONMENT": "", "TRUSTED_PROXIES": ""},
        "warn",
        "TRUSTED_PROXIES is empty",
    ),
    "everybody trusted": (
        {"ENVIRONMENT": "", "TRUSTED_PROXIES": "::/0"},
        "fail",
        "trusts everyone",
    ),
    "a public network": ({"TRUSTED_PROXIES": "8.8.0.0/16"}, "warn", "large public network"),
    "related, asked for elsewhere": (
        {"ORIGIN": "https://login.example.com", "RELATED_ORIGINS": "https://example.de"},
        "warn",
        "https://example.com/.well-known/webauthn",
    ),
    "related, without CORS": (
        {"RELATED_ORIGINS": "https://example.de"},
        "warn",
        "https://example.de cannot call the API",
    ),
    "several workers, each on its own": ({"WEB_CONCURRENCY": "2"}, "fail", "need REDIS_URL"),
    "limits for nobody": ({"RATE_LIMIT_EMAIL": "2"}, "warn", "locks out people"),
    "limits upside down": ({"RATE_LIMIT_EMAIL": "2000"}, "warn", "does nothing"),
    "limits that a few use up": ({"RATE_LIMIT_GLOBAL": "2000"}, "warn", "lock everyone out"),
}


@pytest.mark.parametrize(("change", "level", "word"), OPINIONS.values(), ids=OPINIONS)
def test_bad_settings_with_which_the_service_starts_are_reported(
    home: Path, change: dict[str, str], level: str, word: str
) -> None:
    assert word in report({**PUBLIC, **change}, level)
    assert word not in report(PUBLIC)


def test_the_number_of_workers_can_be_given(home: Path) -> None:
    assert "3 workers need REDIS_URL" in report(PUBLIC, "fail", workers=3)


def secret_file(folder: Path, mode: int) -> dict[str, str]:
    file = folder / "jwt_secret"
    file.write_text(SECRET)
    file.chmod(mode)
    return {**PUBLIC, "JWT_SECRET": "", "JWT_SECRET_FILE": str(file)}


@pytest.mark.parametrize(
    ("mode", "level", "word"),
    [
        (0o400, "ok", "only those who may read"),
        (0o440, "ok", "only those who may read"),
        (0o444, "warn", "may read JWT_SECRET_FILE"),
        (0o620, "warn", "may write JWT_SECRET_FILE"),
        (0o602, "warn", "may write JWT_SECRET_FILE"),
    ],
)
def test_a_secret_that_others_may_read_or_write_is_reported(
    home: Path, monkeypatch: pytest.MonkeyPatch, mode: int, level: str, word: str
) -> None:
    # The temporary folder of a test keeps other users out, which makes any mode safe.
    monkeypatch.setattr(files, "_is_in_closed_folder", lambda _: False)
    assert word in report(secret_file(home, mode), level)


def test_a_readable_secret_in_a_closed_folder_is_safe(home: Path) -> None:
    """make-secrets.sh creates them so."""
    environment = secret_file(home, 0o444)
    home.chmod(0o700)
    assert "only those who may read JWT_SECRET_FILE can read it" in report(environment, "ok")


def test_a_log_file_that_is_a_folder_is_reported(home: Path) -> None:
    (home / "log").mkdir()
    assert "is a folder" in report({**PUBLIC, "LOG_FILE": "log"}, "fail")


def test_a_log_file_that_cannot_be_written_is_reported(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Tests may run as root, who may write everything.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "app.log cannot be written by this user" in report(PUBLIC, "fail")


@pytest.mark.parametrize(
    ("free", "level", "word"),
    [
        (10, "fail", "every login is refused"),
        (500, "warn", "free some space"),
        (5000, "ok", "are free"),
    ],
)
def test_a_full_disk_is_reported(
    home: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str, word: str
) -> None:
    usage = SimpleNamespace(free=free * 2**20)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    assert word in report(PUBLIC, level)


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/srv", "ext4"),
        ("/srv/data", "nfs4"),
        ("/srv/data/deep/er", "nfs4"),
        ("/srv/database", "ext4"),
        ("/with blank/x", "cifs"),
        ("/twice", "tmpfs"),
    ],
)
def test_the_file_system_of_a_folder_is_that_of_its_nearest_mount(
    tmp_path: Path, folder: str, kind: str
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/sda1 / ext4 rw 0 0\nhost:/data /srv/data nfs4 rw 0 0\n"
        "//host/x /with\\040blank cifs rw 0 0\nx /twice nfs rw 0 0\ntmpfs /twice tmpfs rw 0 0\n"
    )
    assert files.filesystem_of(Path(folder), mounts) == kind


def test_without_proc_mounts_no_file_system_is_named(tmp_path: Path) -> None:
    assert files.filesystem_of(tmp_path, tmp_path / "nothing") == ""


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"])
def test_a_database_on_a_network_file_system_is_a_failure(
    home: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(files, "filesystem_of", lambda _: kind)
    assert f"network file system ({kind})" in report(PUBLIC, "fail")


def test_a_folder_without_a_write_ahead_log_is_a_failure(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_try_wal", lambda _: "delete")
    assert "does not support a write-ahead log" in report(PUBLIC, "fail")


def test_a_folder_that_cannot_be_written_is_a_failure(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> str:
        raise PermissionError

    monkeypatch.setattr(files, "_try_wal", refuse)
    assert "SQLite cannot write" in report(PUBLIC, "fail")


def test_the_checks_change_nothing(home: Path) -> None:
    """No row, no file, no journal mode."""
    file = make_database(home)
    sql(file, "INSERT INTO audit_logs (id, event_type, success) VALUES ('1', 'x', 1)")
    before = file.read_bytes()
    report(PUBLIC)
    assert file.read_bytes() == before
    assert [path.name for path in home.iterdir()] == ["app.db"]


def test_an_older_schema_is_brought_up_by_the_next_start(home: Path) -> None:
    file = make_database(home)
    sql(file, "DELETE FROM alembic_version")
    assert "the schema is at nothing: the next start" in report(PUBLIC, "ok")


def test_a_schema_of_another_version_is_a_failure(home: Path) -> None:
    file = make_database(home)
    sql(file, "UPDATE alembic_version SET version_num = '9999'")
    assert "the schema is at 9999" in report(PUBLIC, "fail")


def test_a_file_that_is_no_database_is_a_failure(home: Path) -> None:
    (home / "app.db").write_bytes(b"not a database at all" * 100)
    assert "app.db cannot be opened to write (SQLITE_NOTADB)" in report(PUBLIC, "fail")


def test_a_table_that_cannot_be_written_is_a_failure(home: Path) -> None:
    sql(make_database(home), "DROP TABLE audit_logs")
    assert "the role may not read audit_logs, add to audit_logs" in report(PUBLIC, "fail")


def test_a_server_that_does_not_answer_is_a_failure(home: Path) -> None:
    url = f"postgresql://auth:{PASSWORD}@127.0.0.1:1/auth"
    failures = report({**PUBLIC, "DATABASE_URL": url}, "fail")
    assert "postgresql://127.0.0.1:1/auth gives no answer" in failures


HEALTHY = {"redis_version": "7.2.1", "maxmemory": 2**28, "maxmemory_policy": "noeviction"}
REDIS_INFO: dict[str, tuple[dict[str, Any], str, str]] = {
    "sound": ({}, "ok", "nothing is evicted"),
    "too old": ({"redis_version": "6.0.16"}, "fail", "no GETDEL"),
    "just new enough": ({"redis_version": "6.2.0"}, "ok", "Redis 6.2.0"),
    "valkey": ({"valkey_version": "8.0.1"}, "ok", "Valkey 8.0.1"),
    "evicting": ({"maxmemory_policy": "allkeys-lru"}, "fail", "set noeviction"),
    "evicting what expires": ({"maxmemory_policy": "volatile-ttl"}, "fail", "set noeviction"),
    "evicting some day": (
        {"maxmemory_policy": "allkeys-lru", "maxmemory": 0},
        "warn",
        "would evict",
    ),
    "no limit": ({"maxmemory": 0}, "warn", "maxmemory is not set"),
    "has evicted": ({"evicted_keys": 7}, "warn", "7 keys were evicted"),
    "a replica": ({"role": "slave"}, "fail", "name the primary"),
    "no snapshot": ({"rdb_last_bgsave_status": "err"}, "fail", "last snapshot failed"),
    "no append": ({"aof_last_write_status": "err"}, "fail", "append-only file cannot"),
    "appending": ({"aof_enabled": 1}, "ok", "nothing here needs"),
}


@pytest.mark.parametrize(("change", "level", "word"), REDIS_INFO.values(), ids=REDIS_INFO)
def test_the_info_of_redis_is_judged(change: dict[str, Any], level: str, word: str) -> None:
    lines = [found.text for found in redis.judge({**HEALTHY, **change}) if found.level == level]
    assert word in "\n".join(lines)


@pytest.mark.parametrize(
    ("seconds", "level"),
    [(0.0, "ok"), (0.9, "ok"), (-1.5, "warn"), (4.9, "warn"), (5.1, "fail"), (-3600.0, "fail")],
)
def test_clocks_that_do_not_agree_are_reported(seconds: float, level: str) -> None:
    assert clock_skew(seconds, "the database").level == level


@pytest.mark.parametrize(
    ("found", "level"),
    [
        ("2.13", "ok"),
        ("2.13.0", "ok"),
        ("2.15.1", "ok"),
        ("3.0rc1", "ok"),
        ("2.12.9", "fail"),
        ("2.9", "fail"),
        (None, "fail"),
    ],
)
def test_a_package_below_its_security_floor_is_a_failure(found: str | None, level: str) -> None:
    assert runtime.judge("PyJWT", "2.13", found).level == level


def test_a_python_that_is_too_old_is_a_failure(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "OLDEST_PYTHON", (99, 0))
    assert "is too old" in report({}, "fail")


def test_root_is_told_to_use_the_service_user(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "runs as root" in report({}, "warn")
    monkeypatch.setattr(os, "geteuid", lambda: 10001)
    assert "runs as root" not in report({})


def test_a_check_that_breaks_is_a_finding_and_shows_nothing(home: Path) -> None:
    def broken(installation: Installation) -> Iterator[Finding]:
        yield ok(str(1 // installation.workers) + PASSWORD)

    settings, problems = Settings.danger_unchecked({})
    (found,) = run_check("broken", broken, Installation({}, settings, problems, 0))
    assert found == Finding("fail", "the check itself failed: ZeroDivisionError", "broken")


LEAKS: list[dict[str, str]] = [
    {"JWT_SECRET": PASSWORD},
    {"JWT_SECRET": PASSWORD * 9, "JWT_SECRET_PREVIOUS": PASSWORD * 9, "DECOY_SECRET": PASSWORD * 9},
    {"DATABASE_URL": f"postgresql://auth:{PASSWORD}@127.0.0.1:1/auth?x={PASSWORD}"},
    {"DATABASE_URL": f"postgresql://auth:{PASSWORD}/x@127.0.0.1:1/auth"},
    {"DATABASE_URL": f"mysql://auth:{PASSWORD}@127.0.0.1:1/auth"},
    {"REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:1/0"},
    {"REDIS_URL": f"redis://auth:{PASSWORD}#x@127.0.0.1:1/0"},
    {"REDIS_URL": f"rediss://127.0.0.1:1/0?password={PASSWORD}"},
    {"REDIS_URL": f"http://:{PASSWORD}@127.0.0.1:1/0"},
    {"CORS_ORIGINS": f"https://auth:{PASSWORD}@example.com"},
    {"TRUSTED_PROXIES": "0.0.0.0/0", "JWT_EXPIRATION_MINUTES": PASSWORD},
]


@pytest.mark.parametrize("environment", LEAKS, ids=lambda found: "+".join(found))
@pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["lines", "json"])
def test_no_secret_is_ever_printed(
    home: Path,
    capsys: pytest.CaptureFixture[str],
    environment: dict[str, str],
    arguments: list[str],
) -> None:
    """Neither as a value nor inside a URL, whatever is wrong with the setting."""
    main(["doctor", *arguments], environment)
    printed = capsys.readouterr()
    assert PASSWORD not in printed.out + printed.err
    assert printed.out


def test_the_command_prints_json_and_exits_with_1_on_a_failure(home: Path) -> None:
    command = [sys.executable, "-m", "cli", "doctor", "--json"]
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    for change, code in (({}, 0), ({"JWT_SECRET": "short"}, 1)):
        done = subprocess.run(
            command,
            env={**variables, **change},
            cwd=home,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        answer = json.loads(done.stdout)
        assert (done.returncode, done.stderr) == (code, "")
        assert answer["healthy"] is (code == 0)
        assert all(found.keys() == {"level", "text", "check"} for found in answer["findings"])


def test_every_check_is_in_the_table() -> None:
    """The table is what runs the checks."""
    modules = (configuration, database, files, redis, runtime)
    written = {
        function
        for module in modules
        for name, function in vars(module).items()
        if not name.startswith("_")
        and getattr(function, "__module__", "") == module.__name__
        and getattr(function, "__annotations__", {}).get("return") == "Iterator[Finding]"
        and "Installation" in function.__annotations__.values()
    }
    assert written == set(CHECKS.values())
