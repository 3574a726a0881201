"""One container's life: it starts, serves, is told to end in the middle of a request, and ends."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterable
from typing import NamedTuple

import httpx

from tests.deploy import dockerfile
from tests.deploy.image import Image
from tests.support.process import wait_until_up
from tests.support.service import JANE

PATHS = ("/", "/docs", "/openapi.json", "/static/js/main.js")
BODY = b"{" + b" " * 60 + b"}"
# Modules that someone left in the writable folder, with the names of some that the service imports.
PLANTED = ("uvicorn.py", "main.py", "audit.py", "sitecustomize.py")


class Life(NamedTuple):
    """What came of it. `trail` is what was said on stdout, `console` on stderr."""

    answers: dict[str, int]
    headers: httpx.Headers
    last_answer: str
    exit_status: int
    seconds_to_end: float
    trail: str
    console: str


def live(image: Image) -> Life:
    """Run the image's CMD from its start to its end."""
    for name in PLANTED:
        (image.data / name).write_text("raise SystemExit('imported what was planted')")
    with image.start(dockerfile.the("CMD").words, ORIGIN=image.url, LOG_FILE="/dev/stdout") as main:
        said = [_Listener(main.stdout or ()), _Listener(main.stderr or ())]
        try:
            wait_until_up(main, image.url)
            answers = {path: httpx.get(image.url + path).status_code for path in PATHS}
            headers = httpx.post(f"{image.url}/register/begin", json=JANE).headers
            with socket.create_connection(("127.0.0.1", image.port), timeout=20) as connection:
                _send_half(connection)
                main.send_signal(signal.SIGTERM)
                asked = time.monotonic()
                time.sleep(0.5)
                connection.sendall(BODY[20:])
                last_answer = connection.recv(4096).decode().partition("\r\n")[0]
            exit_status = main.wait(30)
            seconds = time.monotonic() - asked
        finally:
            main.kill()
    return Life(answers, headers, last_answer, exit_status, seconds, *map(str, said))


def _send_half(connection: socket.socket) -> None:
    head = (
        "POST /login/begin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(BODY)}\r\n\r\n"
    )
    connection.sendall(head.encode() + BODY[:20])
    # Long enough for the service to have begun with it.
    time.sleep(0.2)


class _Listener:
    """Reads a stream to its end in a thread of its own, so that its pipe never fills."""

    def __init__(self, stream: Iterable[bytes]) -> None:
        self._lines: list[bytes] = []
        self._thread = threading.Thread(target=lambda: self._lines.extend(stream))
        self._thread.start()

    def __str__(self) -> str:
        self._thread.join(10)
        return b"".join(self._lines).decode()
