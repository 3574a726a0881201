"""Stops a real server while people log in, and judges the answers that each of them got."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from assurance.support.forked_servers import connect
from devtools.authenticator import SoftAuthenticator
from tests.support.app_log import parsed, until
from tests.support.process import free_port, start_server, wait_until_up
from tests.support.service import person

# As the image and the systemd unit have it.
GRACE = {"UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN": "20"}
GRACE_SECONDS = 20
# How a server that accepts nothing more looks to a client. A broken answer is not among these.
CLEAN_REFUSALS = (http.client.RemoteDisconnected, ConnectionError)

Rows = Callable[[], list[str]]


@dataclass
class Ending:
    """A running server, and its people with a passkey each."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    people: dict[str, SoftAuthenticator] = field(default_factory=dict)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """The exit code; fails if it takes longer than it may."""
        return self.process.wait(GRACE_SECONDS)

    def logged(self) -> set[str]:
        """The requests that have a line in the log as finished logins."""
        lines = parsed(self.folder / "app.log")
        return {line["request_id"] for line in lines if is_login(line)}


def is_login(line: dict[str, Any]) -> bool:
    return line.get("event_type") == "login_complete" and line["success"] == 1


@contextmanager
def ending(folder: Path, count: int, **environment: str) -> Iterator[Ending]:
    """A server with `count` people. It is killed at the end if it has not ended by itself."""
    port = free_port()
    server = Ending(folder, port, start_server(folder, port, **GRACE, **environment))
    try:
        url = f"http://localhost:{port}"
        wait_until_up(server.process, url)
        with connect(url) as client:
            for number in range(count):
                device = SoftAuthenticator(origin=url)
                register(client, device, person(f"person{number}"))
                server.people[f"person{number}@example.com"] = device
        yield server
    finally:
        server.process.kill()
        server.process.wait(10)


def register(client: httpx.Client, device: SoftAuthenticator, form: dict[str, Any]) -> None:
    options = client.post("/register/begin", json=form).json()["publicKey"]
    body = {"email": form["email"], "credential": device.create(options)}
    assert client.post("/register/complete", json=body).status_code == 201


def login_body(server: Ending, email: str) -> bytes:
    """The body of a `/login/complete` that will succeed."""
    connection = http.client.HTTPConnection("localhost", server.port, timeout=10)
    options = post(connection, "/login/begin", {"email": email}, "begin")[1]["publicKey"]
    connection.close()
    assertion = server.people[email].get(options)
    return json.dumps({"email": email, "assertion": assertion}).encode()


def post(
    connection: http.client.HTTPConnection, path: str, body: Any, request_id: str
) -> tuple[int, Any]:
    """Status and JSON of one answer, which must be complete."""
    headers = {"Content-Type": "application/json", "X-Request-ID": request_id}
    sent = body if isinstance(body, bytes) else json.dumps(body)
    connection.request("POST", path, sent, headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


class HalfSent:
    """A login whose second half is sent only when the server is already stopping."""

    def __init__(self, server: Ending, email: str) -> None:
        self.request_id = f"half-{email.partition('@')[0]}"
        body = login_body(server, email)
        head = (
            "POST /login/complete HTTP/1.1\r\nHost: localhost\r\n"
            f"X-Request-ID: {self.request_id}\r\nExpect: 100-continue\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._rest = body[100:]
        self._socket = socket.create_connection(("localhost", server.port), timeout=20)
        self._socket.sendall(head.encode())
        # Now the request is certainly under way.
        assert self._socket.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        self._socket.sendall(body[:100])

    def finish(self) -> int:
        """Send the rest; the status of the answer, which must be complete."""
        self._socket.sendall(self._rest)
        answer = http.client.HTTPResponse(self._socket)
        answer.begin()
        assert json.loads(answer.read())
        self._socket.close()
        return answer.status


class Busy(threading.Thread):
    """Logs in again and again until the server accepts nothing more."""

    def __init__(self, server: Ending, email: str) -> None:
        super().__init__(daemon=True)
        self._server, self._email = server, email
        self.answered: set[str] = set()
        self.surprises: list[object] = []

    def run(self) -> None:
        connection = http.client.HTTPConnection("localhost", self._server.port, timeout=20)
        try:
            while True:
                self._log_in(connection)
        except CLEAN_REFUSALS:
            return
        except Exception as error:
            self.surprises.append(error)
        finally:
            connection.close()

    def _log_in(self, connection: http.client.HTTPConnection) -> None:
        status, begun = post(connection, "/login/begin", {"email": self._email}, "begin")
        if status == 200:
            assertion = self._server.people[self._email].get(begun["publicKey"])
            body = {"email": self._email, "assertion": assertion}
            request_id = f"{self._email.partition('@')[0]}-{len(self.answered)}"
            status, _ = post(connection, "/login/complete", body, request_id)
            if status == 200:
                self.answered.add(request_id)
        # 503: the database or Redis did not answer in time, as on a busy machine. It is clean, too.
        if status not in (200, 503):
            self.surprises.append(status)


def finishes_what_was_begun(server: Ending, rows: Rows) -> None:
    """Half a request comes, then SIGTERM, then the rest: it is answered, and has its audit row."""
    requests = [HalfSent(server, email) for email in server.people]
    server.terminate()
    until(lambda: is_refused(server.port))
    assert [request.finish() for request in requests] == [200] * len(requests)
    assert server.wait() == 0
    expected = {request.request_id for request in requests}
    assert len(expected) == len(server.people)
    assert set(rows()) == server.logged() == expected


def answers_or_refuses(server: Ending, rows: Rows) -> None:
    """Under load: no broken answer, and exactly the logins that were answered are committed."""
    people = [Busy(server, email) for email in server.people]
    for someone in people:
        someone.start()
    until(lambda: sum(len(someone.answered) for someone in people) >= 5 * len(people))
    told = time.monotonic()
    server.terminate()
    assert server.wait() == 0
    assert time.monotonic() - told < GRACE_SECONDS
    for someone in people:
        someone.join(20)
    assert [found for someone in people for found in someone.surprises] == []
    answered = {request for someone in people for request in someone.answered}
    assert set(rows()) == server.logged() == answered


def is_refused(port: int) -> bool:
    try:
        socket.create_connection(("localhost", port), timeout=5).close()
    except ConnectionError:
        return True
    return False
