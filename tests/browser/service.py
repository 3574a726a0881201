"""The real service in a process of its own, with a database of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

APP_DIR = Path(__file__).resolve().parents[2]
START_TIMEOUT_SECONDS = 30.0
STOP_TIMEOUT_SECONDS = 10.0


def free_port() -> int:
    """A free port. It must be known before the start, because ORIGIN contains it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ServiceUnderTest:
    """The constructor starts the process, `wait` returns when it answers, `stop` ends it."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.folder = folder
        self._output = (folder / "server.out").open("wb")
        self._process = subprocess.Popen(
            self._command(),
            cwd=folder,
            env=self._environment(),
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    def _command(self) -> list[str]:
        host = ["--host", "127.0.0.1", "--port", str(self.port)]
        return [sys.executable, "-m", "uvicorn", "main:app", "--app-dir", str(APP_DIR), *host]

    def _environment(self) -> dict[str, str]:
        """The settings of the tests only, without those in the developer's environment."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        return kept | {
            "ORIGIN": self.url,
            "RP_ID": "localhost",
            "DATABASE_URL": f"sqlite:///{self.folder / 'app.db'}",
            "LOG_FILE": str(self.folder / "app.log"),
        }

    def wait(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                output = (self.folder / "server.out").read_text(errors="replace")
                raise RuntimeError(f"the service did not start:\n{output[-3000:]}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=2):
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()
                return True
            return False

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()
