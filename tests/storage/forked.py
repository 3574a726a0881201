"""Real servers that start in a moment: `python -m tests.storage.forked` imports the service once
and forks a child for every server asked for, each a uvicorn on a socket of its own.

Asked for by one line of JSON on standard input, `{"folder", "port", "environment"}`, and answered
by one line with the process id. When the input ends, so do all of its children.
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
    """Be a server until killed; what it says goes to `folder`/server.out."""
    os.chdir(folder)
    output = os.open("server.out", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    app = create_app(Settings.from_environment(environment))
    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False)


def main() -> None:
    # The kernel buries the children: nobody here waits for them.
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
