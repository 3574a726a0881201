"""A real uvicorn on a real socket, under its own defaults: what no in-process client can show."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest

from assurance.support.forked_servers import Server, forking

PEER, CLIENT = "127.0.0.1", "203.0.113.7"
LOGIN = b"POST /login/begin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
LAST = b"Connection: close\r\n"
# Behind a refused body: what a careless server would take for another request.
SMUGGLED = b"GET /users/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
AMBIGUOUS = {
    "a length and chunks": b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 2\r\nContent-Length: 60\r\n\r\n{}",
    "a negative length": b"Content-Length: -1\r\n\r\n{}",
    "a length of letters": b"Content-Length: two\r\n\r\n{}",
    "a length past every integer": b"Content-Length: " + b"9" * 40 + b"\r\n\r\n{}",
    "a chunk of a strange size": b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
    "a folded header": b"User-Agent: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
    "an escape in a header": b"User-Agent: \x1b[31m\r\nContent-Length: 2\r\n\r\n{}",
    "a NUL in a header": b"User-Agent: a\x00b\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """By the proxies they trust."""
    with forking() as forked:
        started = {
            "nobody": forked.make(tmp_path_factory.mktemp("nobody")),
            "loopback": forked.make(tmp_path_factory.mktemp("loopback"), TRUSTED_PROXIES=PEER),
        }
        for server in started.values():
            server.start()
        for server in started.values():
            server.wait()
        yield started


@pytest.fixture
def server(servers: dict[str, Server]) -> Server:
    return servers["nobody"]


def send(server: Server, request: bytes) -> str:
    """Everything that comes back until the server closes the connection."""
    received = b""
    with socket.create_connection((PEER, server.port), timeout=15) as connection:
        # Closed while we still send, it is reset: after what it has answered.
        with suppress(ConnectionResetError, BrokenPipeError):
            connection.sendall(request)
        with suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
    return received.decode()


def post(server: Server, *headers: bytes) -> str:
    fields = b"".join(header + b"\r\n" for header in headers)
    return send(server, LOGIN + LAST + fields + b"Content-Length: 2\r\n\r\n{}")


def rows(server: Server) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(server.folder / "app.db")) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM audit_logs ORDER BY rowid")]


@pytest.mark.parametrize(
    ("trusted", "forwarded", "believed"),
    [
        ("nobody", CLIENT, PEER),
        ("nobody", f"6.6.6.6, {CLIENT}", PEER),
        ("loopback", CLIENT, CLIENT),
        ("loopback", f"6.6.6.6, {CLIENT}", CLIENT),
        ("loopback", "junk", PEER),
    ],
)
def test_the_server_does_not_believe_loopback_by_itself(
    servers: dict[str, Server], trusted: str, forwarded: str, believed: str
) -> None:
    """B6: uvicorn trusts 127.0.0.1 by default; the service asks the socket."""
    answer = post(servers[trusted], f"X-Forwarded-For: {forwarded}".encode())
    assert answer.startswith("HTTP/1.1 200 ")
    assert rows(servers[trusted])[-1]["ip_address"] == believed


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 40000\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nffff\r\n" + b" " * 0xFFFF + b"\r\n0\r\n\r\n",
    ],
    ids=["declared", "chunked"],
)
def test_the_connection_ends_with_a_body_over_the_cap(server: Server, body: bytes) -> None:
    """B1: or the rest of that body would be read as the next request."""
    answer = send(server, LOGIN + body + SMUGGLED)
    assert answer.startswith("HTTP/1.1 413 ")
    assert answer.count("HTTP/1.1 ") == 1
    assert "application/problem+json" in answer


@pytest.mark.parametrize("request_rest", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_an_ambiguous_request_gets_nowhere(server: Server, request_rest: bytes) -> None:
    """B1 B7: refused by the parser, with nothing on record."""
    before = len(rows(server))
    answer = send(server, LOGIN + LAST + request_rest)
    assert answer.startswith("HTTP/1.1 400 ")
    assert len(rows(server)) == before


def test_a_user_agent_of_64_kb_is_one_row(server: Server) -> None:
    """B7: cut, and the request is answered."""
    before = len(rows(server))
    assert post(server, b"User-Agent: " + b"U" * 65536).startswith("HTTP/1.1 200 ")
    assert [len(row["user_agent"]) for row in rows(server)[before:]] == [512]


@pytest.mark.parametrize(
    "target", [b"http://evil.example/users/", b"//evil.example/", b"/users/", b"/login/begin/"]
)
def test_no_request_target_leads_to_another_host(server: Server, target: bytes) -> None:
    """B8: neither an absolute target nor `Host` is ever sent back."""
    answer = send(
        server, b"GET " + target + b" HTTP/1.1\r\nHost: evil.example\r\n" + LAST + b"\r\n"
    )
    assert answer.startswith("HTTP/1.1 404 ")
    assert "evil" not in answer
    assert "location:" not in answer.lower()


@pytest.mark.parametrize("method", [b"HEAD", b"TRACE", b"OPTIONS", b"PUT"])
def test_a_method_that_is_not_served_is_405_on_the_wire(server: Server, method: bytes) -> None:
    """B11: with Allow; TRACE mirrors nothing, HEAD has no body."""
    request = method + b" /login/begin HTTP/1.1\r\nHost: localhost\r\nX-Mirror: me\r\n" + LAST
    head, _, body = send(server, request + b"\r\n").partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 405 ")
    assert "allow: POST" in head
    assert "x-mirror" not in (head + body).lower()
    assert (body == "") is (method == b"HEAD")
