"""Starts servers fast: this process imports the service once and forks a child for each server.

The input is one line of JSON for each server, `{"folder", "port", "environment"}`; the output is
one line with the process id. When the input ends, all children are killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

import uvicorn

from core.settings import Settings
from main import create_app


def serve(folder: str, port: int, environment: dict[str, str]) -> None:
    """Run uvicorn until killed; its output goes to `folder`/server.out."""
    os.chdir(folder)
    output = os.open("server.out", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    app = create_app(Settings.from_environment(environment))
    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False)


def main() -> None:
    # The kernel removes ended children: this process does not wait for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        child = os.fork()
        if child == 0:
            try:
                serve(**order)
            finally:
                os._exit(1)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
