"""The load generator: it counts what it should, and puts nobody else under load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench.load.__main__ import main
from bench.load.api import Answer
from bench.load.fleet import shares
from bench.load.processes import cpu_seconds, tree
from bench.load.wire import loopback, parse
from tests.support.process import running_server


class Broken(BaseHTTPRequestHandler):
    """Answers everything with 500."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def broken_server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_real_server_is_measured_without_an_error(tmp_path: Path) -> None:
    report = tmp_path / "figures.json"
    with running_server(tmp_path, RATE_LIMIT_ADDRESS="1000000") as url:
        bounded = ["--connections", "4", "--operations", "24", "--json", str(report)]
        assert main(["--url", url, *bounded]) == 0
    (system,) = json.loads(report.read_text("utf-8"))["systems"]
    done = {cell["kind"]: cell["operations"] for cell in system["cells"]}
    assert done == dict.fromkeys(("register", "login", "usernameless", "profile"), 24)
    assert all(cell["p50"] > 0 and cell["p50"] <= cell["p99"] for cell in system["cells"])


def test_answers_that_are_no_success_are_not_taken_for_one() -> None:
    with broken_server() as url, pytest.raises(RuntimeError, match="status 500 instead of 200"):
        main(["--url", url, "--operations", "1"])


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1:8000", "http://example.com", "https://localhost", "http://[::]:80"]
)
def test_nothing_but_the_loopback_interface_is_put_under_load(url: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        loopback(url)
    with pytest.raises(SystemExit, match="loopback"):
        main(["--url", url])


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://127.0.0.1:8000"])
def test_the_loopback_interface_has_several_names(url: str) -> None:
    assert loopback(url) == ("127.0.0.1", 8000)


def test_an_answer_is_parsed_once_it_is_whole() -> None:
    whole = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"
    assert [parse(whole[:end]) for end in range(len(whole))] == [None] * len(whole)
    assert parse(whole) == Answer(201, whole[:39], b"{}")


def test_chunks_are_put_together() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
    assert parse(head + b"\r\n\r\n2\r\n{}\r\n") is None
    answer = parse(head + b"\r\n\r\n2\r\n{}\r\n1;x=y\r\n!\r\n0\r\n\r\n")
    assert answer == Answer(200, head, b"{}!")


def test_cookies_are_sent_back_as_they_were_set() -> None:
    head = b"HTTP/1.1 200 OK\r\nset-cookie: a=1; Path=/\r\nSet-Cookie: b=2%3D; HttpOnly"
    assert Answer(200, head, b"").cookies() == b"a=1; b=2%3D"


def test_no_operation_is_lost_when_work_is_shared() -> None:
    assert shares(64, 3) == [22, 21, 21]
    assert shares(1, 2) == [1, 0]


def test_the_work_of_children_counts_even_when_they_have_ended() -> None:
    before = cpu_seconds(os.getpid())
    burn = "import time\nwhile time.process_time() < 0.2: pass"
    subprocess.run([sys.executable, "-c", burn], check=True, timeout=60)
    assert cpu_seconds(os.getpid()) - before >= 0.19


def test_descendants_are_found() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert child.pid in tree(os.getpid())
    finally:
        child.communicate(b"\n", timeout=30)
