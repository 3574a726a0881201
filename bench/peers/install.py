"""Installs the peers' packages, pinned exactly, into `.bench/`, apart from the service."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLACE = HERE.parents[1] / ".bench"


class Missing(Exception):
    """A program that a peer needs is missing; the message names it."""


def node() -> Path:
    """The folder from which Node runs its peers, with their packages installed.

    One folder for all of them: better-sqlite3 may have to be compiled, which takes minutes.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise Missing("node and npm are not installed")
    sources = sorted(file for file in (HERE / "node").iterdir() if file.is_file())
    packages = [file for file in sources if file.suffix == ".json"]
    folder = PLACE / "node"
    _copy(sources, folder)
    if not _is_fresh(folder, packages):
        # The passkey plugin pins versions that its own peer dependencies exclude.
        quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"]
        _run(["npm", "ci", "--legacy-peer-deps", *quiet], folder)
        _mark(folder, packages)
    return folder


def python(name: str) -> Path:
    """This peer's own Python, with its packages installed."""
    sources = [HERE / name / "requirements.txt"]
    folder = PLACE / name
    if not _is_fresh(folder, sources):
        _copy(sources, folder)
        _run([sys.executable, "-m", "venv", "venv"], folder)
        pip = ["venv/bin/python", "-m", "pip", "install", "--quiet", "--no-deps"]
        _run([*pip, "-r", "requirements.txt"], folder)
        _mark(folder, sources)
    return folder / "venv" / "bin" / "python"


def _copy(sources: list[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        shutil.copy(source, folder)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"{command[0]} failed: {done.stderr.strip()[-500:]}")


def _digest(sources: list[Path]) -> str:
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()


def _is_fresh(folder: Path, sources: list[Path]) -> bool:
    mark = folder / "installed"
    return mark.exists() and mark.read_text("ascii") == _digest(sources)


def _mark(folder: Path, sources: list[Path]) -> None:
    (folder / "installed").write_text(_digest(sources), "ascii")
