"""What lies on the disk: secrets, the log, the database, and the room that is left."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote

from cli.doctor.findings import Finding, Patient, fail, ok, warn
from core.config import Settings

MOUNTS = Path("/proc/self/mounts")
# SQLite's locks are not kept there: https://www.sqlite.org/faq.html#q5 and wal.html.
NETWORK = ("nfs", "cifs", "smb", "9p", "ceph", "afs", "lustre", "fuse.sshfs", "fuse.gluster")
MEBIBYTE = 1024 * 1024
FULL, NEARLY_FULL = 64 * MEBIBYTE, 1024 * MEBIBYTE
HOLD_SECRETS = ("JWT_SECRET", "JWT_SECRET_PREVIOUS", "DECOY_SECRET", "DATABASE_URL", "REDIS_URL")


def sqlite_file(settings: Settings) -> Path | None:
    """Where the database lies, if it is one of SQLite."""
    kind, _, name = settings.database_url.partition(":///")
    return Path(unquote(name)) if kind == "sqlite" and name else None


def secret_files(patient: Patient) -> Iterator[Finding]:
    for name in HOLD_SECRETS:
        file = patient.environment.get(f"{name}_FILE")
        if file and Path(file).exists():
            yield _permissions(f"{name}_FILE", Path(file))


def _permissions(name: str, file: Path) -> Finding:
    mode = file.stat().st_mode
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return warn(f"others may write {name}: `chmod go-w {file}`")
    if mode & stat.S_IROTH and not _is_kept_in(file):
        return warn(f"everyone on this machine may read {name}: `chmod o-r {file}`")
    return ok(f"{name} is readable by those who should")


def _is_kept_in(file: Path) -> bool:
    """Whether a folder above keeps others from the file, whatever its own mode says."""
    return any(not folder.stat().st_mode & stat.S_IXOTH for folder in file.resolve().parents)


def log_file(patient: Patient) -> Iterator[Finding]:
    file = patient.settings.log_file
    target = file if file.exists() else file.absolute().parent
    if target.is_dir() and file.exists():
        yield fail(f"LOG_FILE {file} is a folder")
    elif not target.exists():
        yield fail(f"the folder of LOG_FILE {file} does not exist: make it")
    elif not os.access(target, os.W_OK):
        yield fail(f"LOG_FILE {file} cannot be written by this user")
    else:
        yield ok(f"{file} can be written")


def disk(patient: Patient) -> Iterator[Finding]:
    """Free room where the service writes."""
    database, log = sqlite_file(patient.settings), patient.settings.log_file
    files = [log] if database is None else [database, log]
    for folder in dict.fromkeys(file.absolute().parent for file in files):
        if folder.is_dir() and folder != Path("/dev"):
            yield _room(folder)


def _room(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    text = f"{free // MEBIBYTE} MiB are free in {folder}"
    if free < FULL:
        return fail(f"{text}: without room every login is refused")
    return warn(f"{text}: make room") if free < NEARLY_FULL else ok(text)


def sqlite_folder(patient: Patient) -> Iterator[Finding]:
    """SQLite needs a local folder that it can write, and one that supports its write-ahead log."""
    file = sqlite_file(patient.settings)
    if file is None:
        return
    folder = file.absolute().parent
    if not folder.is_dir():
        yield fail(f"the folder of the database, {folder}, does not exist: make it")
        return
    kind = filesystem_of(folder)
    if kind.startswith(NETWORK):
        yield fail(
            f"{folder} is on a network file system ({kind}), where SQLite loses data: "
            "move it to a local disk, or use PostgreSQL"
        )
    try:
        mode = _try_wal(folder)
    except (OSError, sqlite3.Error) as error:
        why = type(error).__name__
        yield fail(f"SQLite cannot write in {folder} ({why}): the service's user must own it")
        return
    if mode != "wal":
        yield fail(f"{folder} does not support a write-ahead log: move it to a local disk")
        return
    yield ok(f"{folder} takes a write-ahead log")


def _try_wal(folder: Path) -> str:
    """The journal mode that a new database gets there; it is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix=".doctor-", dir=folder) as place,
        closing(sqlite3.connect(Path(place) / "probe.db")) as probe,
    ):
        mode: str = probe.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        probe.execute("CREATE TABLE probe (x)")
        probe.commit()
        return mode


def filesystem_of(folder: Path, mounts: Path = MOUNTS) -> str:
    """The type of the file system that holds `folder`; "" where the system does not tell."""
    try:
        lines = [line.split() for line in mounts.read_text(errors="replace").splitlines()]
    except OSError:
        return ""
    # Octal escapes stand for blanks in a path: proc(5).
    points = [(Path(line[1].replace("\\040", " ")), line[2]) for line in lines]
    above = {folder.resolve(), *folder.resolve().parents}
    # The last one is the one that is seen, where several lie on one point.
    found = [
        (len(point.parts), place, kind)
        for place, (point, kind) in enumerate(points)
        if point in above
    ]
    return max(found)[2] if found else ""
