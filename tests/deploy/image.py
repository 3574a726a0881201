"""The image without Docker: a folder as the Dockerfile's COPY would fill it, and only the packages
of the lock that it installs. What the image's own commands do, they do here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

from tests.deploy import dockerfile, dockerignore
from tests.deploy.workshop import ROOT
from tests.support.process import free_port


def locked() -> list[Requirement]:
    """The packages that the build stage installs, with those for other platforms."""
    (build,) = (
        found.text for found in dockerfile.all_of("RUN") if "--require-hashes" in found.text
    )
    lock = (ROOT / build.rpartition(" -r ")[2].strip()).read_text(encoding="utf-8")
    lines = [line.removesuffix("\\") for line in lock.splitlines() if line[0] not in "# "]
    return [Requirement(line) for line in lines]


def applies(pin: Requirement) -> bool:
    """Whether pip would install the package on this machine."""
    return pin.marker is None or pin.marker.evaluate()


class Image:
    """The file system of a container: /app, /data, and the packages of /opt/venv."""

    def __init__(self, folder: Path) -> None:
        self.app, self.data, self.packages = folder / "app", folder / "data", folder / "packages"
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self._copy_context()
        self._link_packages()
        self.data.mkdir()

    def _copy_context(self) -> None:
        (copied,) = [
            found
            for found in dockerfile.all_of("COPY", dockerfile.FINAL)
            if "from" not in found.flags
        ]
        assert copied.words == [".", "/app"]
        for file in dockerignore.context():
            target = self.app / file.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)

    def _link_packages(self) -> None:
        self.packages.mkdir()
        for name in (pin.name for pin in locked() if applies(pin)):
            files = distribution(name).files or ()
            for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
                link = self.packages / top
                if not link.exists():
                    link.symlink_to(Path(str(distribution(name).locate_file(top))))

    def files(self) -> set[str]:
        """Every file under /app."""
        found = (path for path in self.app.rglob("*") if path.is_file())
        return {path.relative_to(self.app).as_posix() for path in found}

    def here(self, word: str) -> str:
        """A word of a command, with the paths and the port of this test."""
        places = {"/app": str(self.app), "/data": str(self.data)}
        return {**places, "0.0.0.0": "127.0.0.1", "8000": str(self.port)}.get(word, word)  # noqa: S104

    def start(
        self, command: list[str], folder: str = "/data", **environment: str
    ) -> subprocess.Popen[bytes]:
        """Run a command as the container would; both its outputs can be read."""
        assert command[0] == "python", command
        variables = {
            **dockerfile.environment(),
            # -S: nothing of the development environment can be imported.
            "PYTHONPATH": os.pathsep.join([str(self.app), str(self.packages)]),
            "PATH": os.defpath,
            **environment,
        }
        return subprocess.Popen(
            [sys.executable, "-S", *map(self.here, command[1:])],
            cwd=self.here(folder),
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, command: list[str], folder: str = "/data", **environment: str) -> tuple[int, str]:
        """Run a command to its end; its exit status, and all it said."""
        with self.start(command, folder, **environment) as process:
            said = b"".join(process.communicate(timeout=60))
        return process.returncode, said.decode()
