"""The doctor: finds everything that is wrong at once, says how to mend it, and shows no secret."""

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

from core.config import Settings
from core.database.schema_version import upgrade
from devtools.doctor import configuration, database, files, redis, runtime
from devtools.doctor.__main__ import CHECKS, diagnose, main
from devtools.doctor.findings import Finding, Patient, examine, ok, skew

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
HUNTER = "hunter2"
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a service that is about to start."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(environment: dict[str, str], level: str = "", workers: int | None = None) -> str:
    """Every line, or those of one level."""
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
    """No failure, and nothing that a warning would have to say, but who runs this."""
    make_database(home)
    assert said(PUBLIC, "fail") == ""
    warnings = [line for line in said(PUBLIC, "warn").splitlines() if line.split()[1] != "user"]
    assert warnings == []
    assert "every table can be read and written" in said(PUBLIC)


def test_the_defaults_warn_and_fail_nothing(home: Path) -> None:
    """A fresh clone."""
    assert said({}, "fail") == ""
    assert "the development secret is public" in said({}, "warn")
    assert list(home.iterdir()) == []


def test_all_that_is_wrong_is_said_in_one_run(home: Path) -> None:
    """Fields, contradictions, files and servers: one does not hide the next."""
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
    failures = said(wrong, "fail")
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


# Settings that start, and what the doctor thinks of them.
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
    "https in development": ({"ENVIRONMENT": ""}, "warn", "not ENVIRONMENT=production"),
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
    "nobody to trust": (
        {"ENVIRONMENT": "", "TRUSTED_PROXIES": ""},
        "warn",
        "TRUSTED_PROXIES is empty",
    ),
    "everybody to trust": (
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
    "limits for nobody": ({"RATE_LIMIT_EMAIL": "2"}, "warn", "shut out people"),
    "limits upside down": ({"RATE_LIMIT_EMAIL": "2000"}, "warn", "does nothing"),
    "limits that a few use up": ({"RATE_LIMIT_GLOBAL": "2000"}, "warn", "shut everyone out"),
}


@pytest.mark.parametrize(("change", "level", "word"), OPINIONS.values(), ids=OPINIONS)
def test_what_starts_and_is_not_good_is_said(
    home: Path, change: dict[str, str], level: str, word: str
) -> None:
    assert word in said({**PUBLIC, **change}, level)
    assert word not in said(PUBLIC)


def test_the_number_of_workers_can_be_given(home: Path) -> None:
    assert "3 workers need REDIS_URL" in said(PUBLIC, "fail", workers=3)


def secret_file(folder: Path, mode: int) -> dict[str, str]:
    file = folder / "jwt_secret"
    file.write_text(SECRET)
    file.chmod(mode)
    return {**PUBLIC, "JWT_SECRET": "", "JWT_SECRET_FILE": str(file)}


@pytest.mark.parametrize(
    ("mode", "level", "word"),
    [
        (0o400, "ok", "readable by those who should"),
        (0o440, "ok", "readable by those who should"),
        (0o444, "warn", "may read JWT_SECRET_FILE"),
        (0o620, "warn", "may write JWT_SECRET_FILE"),
        (0o602, "warn", "may write JWT_SECRET_FILE"),
    ],
)
def test_a_secret_that_others_may_read_or_write_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch, mode: int, level: str, word: str
) -> None:
    # The folders of tests keep others out, which would be enough.
    monkeypatch.setattr(files, "_is_kept_in", lambda _: False)
    assert word in said(secret_file(home, mode), level)


def test_a_readable_secret_in_a_closed_folder_is_kept(home: Path) -> None:
    """As make-secrets.sh leaves them."""
    environment = secret_file(home, 0o444)
    home.chmod(0o700)
    assert "JWT_SECRET_FILE is readable by those who should" in said(environment, "ok")


def test_a_log_file_that_is_a_folder_is_said(home: Path) -> None:
    (home / "log").mkdir()
    assert "is a folder" in said({**PUBLIC, "LOG_FILE": "log"}, "fail")


def test_a_log_file_that_cannot_be_written_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # root may write everything.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "app.log cannot be written by this user" in said(PUBLIC, "fail")


@pytest.mark.parametrize(
    ("free", "level", "word"),
    [(10, "fail", "every login is refused"), (500, "warn", "make room"), (5000, "ok", "are free")],
)
def test_a_disk_without_room_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str, word: str
) -> None:
    usage = SimpleNamespace(free=free * 2**20)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    assert word in said(PUBLIC, level)


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


def test_where_the_system_does_not_tell_no_file_system_is_named(tmp_path: Path) -> None:
    assert files.filesystem_of(tmp_path, tmp_path / "nothing") == ""


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"])
def test_a_database_on_a_network_file_system_is_a_failure(
    home: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(files, "filesystem_of", lambda _: kind)
    assert f"network file system ({kind})" in said(PUBLIC, "fail")


def test_a_folder_without_a_write_ahead_log_is_a_failure(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_try_wal", lambda _: "delete")
    assert "does not support a write-ahead log" in said(PUBLIC, "fail")


def test_a_folder_that_cannot_be_written_is_a_failure(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> str:
        raise PermissionError

    monkeypatch.setattr(files, "_try_wal", refuse)
    assert "SQLite cannot write" in said(PUBLIC, "fail")


def test_looking_changes_nothing(home: Path) -> None:
    """No row, no file, no other mode."""
    file = make_database(home)
    sql(file, "INSERT INTO audit_logs (id, event_type, success) VALUES ('1', 'x', 1)")
    before = file.read_bytes()
    said(PUBLIC)
    assert file.read_bytes() == before
    assert [path.name for path in home.iterdir()] == ["app.db"]


def test_an_older_schema_is_brought_up_by_the_next_start(home: Path) -> None:
    file = make_database(home)
    sql(file, "DELETE FROM alembic_version")
    assert "the schema is at nothing: the next start" in said(PUBLIC, "ok")


def test_a_schema_of_another_version_is_a_failure(home: Path) -> None:
    file = make_database(home)
    sql(file, "UPDATE alembic_version SET version_num = '9999'")
    assert "the schema is at 9999" in said(PUBLIC, "fail")


def test_a_file_that_is_no_database_is_a_failure(home: Path) -> None:
    (home / "app.db").write_bytes(b"not a database at all" * 100)
    assert "app.db cannot be opened to write (SQLITE_NOTADB)" in said(PUBLIC, "fail")


def test_a_table_that_cannot_be_written_is_a_failure(home: Path) -> None:
    sql(make_database(home), "DROP TABLE audit_logs")
    assert "the role may not read audit_logs, add to audit_logs" in said(PUBLIC, "fail")


def test_a_server_that_is_away_is_a_failure(home: Path) -> None:
    url = f"postgresql://auth:{HUNTER}@127.0.0.1:1/auth"
    failures = said({**PUBLIC, "DATABASE_URL": url}, "fail")
    assert "postgresql://127.0.0.1:1/auth gives no answer" in failures


HEALTHY = {"redis_version": "7.2.1", "maxmemory": 2**28, "maxmemory_policy": "noeviction"}
TOLD: dict[str, tuple[dict[str, Any], str, str]] = {
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


@pytest.mark.parametrize(("change", "level", "word"), TOLD.values(), ids=TOLD)
def test_what_redis_tells_is_judged(change: dict[str, Any], level: str, word: str) -> None:
    lines = [found.text for found in redis.judge({**HEALTHY, **change}) if found.level == level]
    assert word in "\n".join(lines)


@pytest.mark.parametrize(
    ("seconds", "level"),
    [(0.0, "ok"), (0.9, "ok"), (-1.5, "warn"), (4.9, "warn"), (5.1, "fail"), (-3600.0, "fail")],
)
def test_clocks_that_do_not_agree_are_said(seconds: float, level: str) -> None:
    assert skew(seconds, "the database").level == level


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
    assert "is too old" in said({}, "fail")


def test_root_is_told_to_be_the_service(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "root: run this" in said({}, "warn")
    monkeypatch.setattr(os, "geteuid", lambda: 10001)
    assert "root: run this" not in said({})


def test_a_check_that_breaks_is_a_finding_and_shows_nothing(home: Path) -> None:
    def broken(patient: Patient) -> Iterator[Finding]:
        yield ok(str(1 // patient.workers) + HUNTER)

    settings, problems = Settings.danger_unchecked({})
    (found,) = examine("broken", broken, Patient({}, settings, problems, 0))
    assert found == Finding("fail", "could not be looked at: ZeroDivisionError", "broken")


LEAKS: list[dict[str, str]] = [
    {"JWT_SECRET": HUNTER},
    {"JWT_SECRET": HUNTER * 9, "JWT_SECRET_PREVIOUS": HUNTER * 9, "DECOY_SECRET": HUNTER * 9},
    {"DATABASE_URL": f"postgresql://auth:{HUNTER}@127.0.0.1:1/auth?x={HUNTER}"},
    {"DATABASE_URL": f"postgresql://auth:{HUNTER}/x@127.0.0.1:1/auth"},
    {"DATABASE_URL": f"mysql://auth:{HUNTER}@127.0.0.1:1/auth"},
    {"REDIS_URL": f"redis://:{HUNTER}@127.0.0.1:1/0"},
    {"REDIS_URL": f"redis://auth:{HUNTER}#x@127.0.0.1:1/0"},
    {"REDIS_URL": f"rediss://127.0.0.1:1/0?password={HUNTER}"},
    {"REDIS_URL": f"http://:{HUNTER}@127.0.0.1:1/0"},
    {"CORS_ORIGINS": f"https://auth:{HUNTER}@example.com"},
    {"TRUSTED_PROXIES": "0.0.0.0/0", "JWT_EXPIRATION_MINUTES": HUNTER},
]


@pytest.mark.parametrize("environment", LEAKS, ids=lambda found: "+".join(found))
@pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["lines", "json"])
def test_no_secret_is_ever_printed(
    home: Path,
    capsys: pytest.CaptureFixture[str],
    environment: dict[str, str],
    arguments: list[str],
) -> None:
    """Neither as a value nor inside a URL, whatever is wrong with it."""
    main(arguments, environment)
    printed = capsys.readouterr()
    assert HUNTER not in printed.out + printed.err
    assert printed.out


def test_it_is_a_command_whose_exit_code_tells(home: Path) -> None:
    """And one with which programs can do something."""
    command = [sys.executable, "-m", "devtools.doctor", "--json"]
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
        report = json.loads(done.stdout)
        assert (done.returncode, done.stderr) == (code, "")
        assert report["healthy"] is (code == 0)
        assert all(found.keys() == {"level", "text", "check"} for found in report["findings"])


def test_every_check_is_in_the_table() -> None:
    """A check nobody calls would find nothing."""
    modules = (configuration, database, files, redis, runtime)
    written = {
        function
        for module in modules
        for name, function in vars(module).items()
        if not name.startswith("_")
        and getattr(function, "__module__", "") == module.__name__
        and getattr(function, "__annotations__", {}).get("return") == "Iterator[Finding]"
        and "Patient" in function.__annotations__.values()
    }
    assert written == set(CHECKS.values())
