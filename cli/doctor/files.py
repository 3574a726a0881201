"""Checks of the disk: files with secrets, the log, SQLite's folder, and free space."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from cli.doctor.findings import Finding, Installation, fail, ok, warn
from core.settings.sources import sqlite_file

MOUNTS = Path("/proc/self/mounts")
# File systems on which SQLite's locks do not work: https://www.sqlite.org/faq.html#q5 and wal.html.
NETWORK_FILESYSTEMS = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "ceph",
    "afs",
    "lustre",
    "fuse.sshfs",
    "fuse.gluster",
)
MEBIBYTE = 1024 * 1024
FULL_BELOW, NEARLY_FULL_BELOW = 64 * MEBIBYTE, 1024 * MEBIBYTE
SECRET_SETTINGS = ("JWT_SECRET", "JWT_SECRET_PREVIOUS", "DECOY_SECRET", "DATABASE_URL", "REDIS_URL")


def secret_files(installation: Installation) -> Iterator[Finding]:
    for name in SECRET_SETTINGS:
        file = installation.environment.get(f"{name}_FILE")
        if file and Path(file).exists():
            yield _check_mode(f"{name}_FILE", Path(file))


def _check_mode(name: str, file: Path) -> Finding:
    mode = file.stat().st_mode
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return warn(f"others may write {name}: `chmod go-w {file}`")
    if mode & stat.S_IROTH and not _is_in_closed_folder(file):
        return warn(f"everyone on this machine may read {name}: `chmod o-r {file}`")
    return ok(f"only those who may read {name} can read it")


def _is_in_closed_folder(file: Path) -> bool:
    """Whether a folder above the file keeps other users out, whatever the mode of the file is."""
    return any(not folder.stat().st_mode & stat.S_IXOTH for folder in file.resolve().parents)


def log_file(installation: Installation) -> Iterator[Finding]:
    file = installation.settings.log_file
    target = file if file.exists() else file.absolute().parent
    if target.is_dir() and file.exists():
        yield fail(f"LOG_FILE {file} is a folder")
    elif not target.exists():
        yield fail(f"the folder of LOG_FILE {file} does not exist: create it")
    elif not os.access(target, os.W_OK):
        yield fail(f"LOG_FILE {file} cannot be written by this user")
    else:
        yield ok(f"{file} can be written")


def disk(installation: Installation) -> Iterator[Finding]:
    """Free space in the folders that the service writes to."""
    settings = installation.settings
    database, log = sqlite_file(settings.database_url), settings.log_file
    files = [log] if database is None else [database, log]
    for folder in dict.fromkeys(file.absolute().parent for file in files):
        if folder.is_dir() and folder != Path("/dev"):
            yield _free_space(folder)


def _free_space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    text = f"{free // MEBIBYTE} MiB are free in {folder}"
    if free < FULL_BELOW:
        return fail(f"{text}: on a full disk every login is refused")
    return warn(f"{text}: free some space") if free < NEARLY_FULL_BELOW else ok(text)


def sqlite_folder(installation: Installation) -> Iterator[Finding]:
    """SQLite needs a local folder that it may write to and that supports a write-ahead log."""
    file = sqlite_file(installation.settings.database_url)
    if file is None:
        return
    folder = file.absolute().parent
    if not folder.is_dir():
        yield fail(f"the folder of the database, {folder}, does not exist: create it")
        return
    kind = filesystem_of(folder)
    if kind.startswith(NETWORK_FILESYSTEMS):
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
    yield ok(f"{folder} supports a write-ahead log")


def _try_wal(folder: Path) -> str:
    """The journal mode that a new database gets in `folder`; that database is deleted again."""
    with (
        tempfile.TemporaryDirectory(prefix=".doctor-", dir=folder) as place,
        closing(sqlite3.connect(Path(place) / "probe.db")) as probe,
    ):
        mode: str = probe.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        probe.execute("CREATE TABLE probe (x)")
        probe.commit()
        return mode


def filesystem_of(folder: Path, mounts: Path = MOUNTS) -> str:
    """The type of the file system that holds `folder`; "" where /proc/self/mounts is missing."""
    try:
        lines = [line.split() for line in mounts.read_text(errors="replace").splitlines()]
    except OSError:
        return ""
    # A blank in a path is written as an octal escape: proc(5).
    points = [(Path(line[1].replace("\\040", " ")), line[2]) for line in lines]
    above = {folder.resolve(), *folder.resolve().parents}
    # Of several file systems mounted on one path, the last one is visible.
    found = [
        (len(point.parts), order, kind)
        for order, (point, kind) in enumerate(points)
        if point in above
    ]
    return max(found)[2] if found else ""
