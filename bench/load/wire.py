"""HTTP/1.1 over kept sockets, with as little work as it takes."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from bench.load.api import Answer, Wrong

CHUNK = 1 << 16


def loopback(url: str) -> tuple[str, int]:
    """Host and port of a base URL on this machine. ValueError for others: spare them the load."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http" or not (host == "localhost" or _is_loopback(host)):
        raise ValueError(f"{url} is not on the loopback interface; nothing else is put under load")
    return ("127.0.0.1" if host == "localhost" else host), parts.port or 80


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Connection:
    """One kept connection. `feed` is called whenever its socket can be read."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self._buffer = b""

    def send(self, request: bytes) -> None:
        self.socket.sendall(request)

    def feed(self) -> Answer | None:
        """The answer, once it is whole. Raises Wrong if the server hangs up."""
        try:
            received = self.socket.recv(CHUNK)
        except BlockingIOError:
            return None
        except OSError as error:
            raise Wrong(type(error).__name__) from None
        if not received:
            raise Wrong("connection closed")
        self._buffer = self._buffer + received if self._buffer else received
        answer = parse(self._buffer)
        if answer is not None:
            self._buffer = b""
        return answer

    def close(self) -> None:
        self.socket.close()


def parse(buffer: bytes) -> Answer | None:
    """The answer that `buffer` holds, if it is whole: one is asked for at a time."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head, body = buffer[:end], buffer[end + 4 :]
    length = _content_length(head)
    if length is None:
        whole = body.endswith(b"0\r\n\r\n")
        return Answer(int(buffer[9:12]), head, _dechunked(body)) if whole else None
    return Answer(int(buffer[9:12]), head, body) if len(body) >= length else None


def _content_length(head: bytes) -> int | None:
    lower = head.lower()
    start = lower.find(b"\r\ncontent-length:")
    if start < 0:
        return None if b"\r\ntransfer-encoding:" in lower else 0
    return int(lower[start + 17 :].partition(b"\r\n")[0])


def _dechunked(body: bytes) -> bytes:
    """RFC 9112 §7.1, of a body that is whole."""
    parts = []
    while body:
        size_line, _, rest = body.partition(b"\r\n")
        size = int(size_line.partition(b";")[0], 16)
        parts.append(rest[:size])
        body = rest[size + 2 :] if size else b""
    return b"".join(parts)
