"""The transports of audit forwarding: syslog over TLS, syslog over UDP, and stdout.

`send` returns once the transport has confirmed what it can. Everything here blocks, so worker.py
runs it in a thread. A deadline is a moment of `time.monotonic`; nothing is sent after the deadline.
Failures are OSError.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from core.settings.audit_sinks import SinkAddress, tls_context
from services.audit_forwarding import json_formats, syslog
from stores.outbox import EventRow

CONNECT_TIMEOUT_SECONDS = 5.0
CLOSE_TIMEOUT_SECONDS = 0.5
STDOUT = 1
# A UDP receive buffer holds some hundred datagrams: the pause lets the receiver empty it.
BURST, PAUSE_SECONDS = 50, 0.005


class Sink(Protocol):
    """A destination of audit rows."""

    def send(self, rows: Sequence[EventRow], deadline: float) -> None:
        """Send all rows, in order. Raises OSError if any row may not have arrived."""
        ...

    def close(self) -> None:
        """Close the connection, after the closing message of the protocol if it has one."""
        ...


class SyslogTls:
    """Syslog over TLS (RFC 5425): octet counted messages, to a collector with a valid certificate.

    Syslog has no acknowledgement. A batch counts as delivered when the collector's machine has
    confirmed it (on Linux: the send queue is empty) and the connection is still open. Messages
    that the collector's process had not read when the process died are not covered.
    """

    def __init__(self, address: SinkAddress, ca: Path | None) -> None:
        self._address, self._context = address, tls_context(ca)
        self._socket: ssl.SSLSocket | None = None
        self._host = socket.gethostname()

    def send(self, rows: Sequence[EventRow], deadline: float) -> None:
        frames = b"".join(
            syslog.octet_counted(syslog.message(row, self._host, syslog.MAX_TLS_OCTETS))
            for row in _yielding(rows)
        )
        try:
            if self._socket is None or _is_closed(self._socket):
                self._socket = self._connect(deadline)
            _send_all(self._socket, frames, deadline)
            _wait_until_confirmed(self._socket, deadline)
        except OSError:
            self._drop()
            raise

    def close(self) -> None:
        if self._socket is None:
            return
        with suppress(OSError, ValueError):
            # RFC 5425 §4.4: a sender says that it ends.
            self._socket.settimeout(CLOSE_TIMEOUT_SECONDS)
            self._socket.unwrap()
        self._drop()

    def _connect(self, deadline: float) -> ssl.SSLSocket:
        self._drop()
        host, port = self._address.host, self._address.port
        plain = socket.create_connection(
            (host, port), min(CONNECT_TIMEOUT_SECONDS, _seconds_left(deadline))
        )
        try:
            return self._context.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class SyslogUdp:
    """Syslog over UDP (RFC 5426): one datagram per message, without any confirmation."""

    def __init__(self, address: SinkAddress) -> None:
        self._address = address
        self._socket: socket.socket | None = None
        self._host = socket.gethostname()

    def send(self, rows: Sequence[EventRow], deadline: float) -> None:
        try:
            self._socket = self._socket or self._open()
            for number, row in enumerate(rows, 1):
                self._socket.settimeout(_seconds_left(deadline))
                self._socket.send(syslog.message(row, self._host, syslog.MAX_UDP_OCTETS))
                if number % BURST == 0:
                    time.sleep(PAUSE_SECONDS)
            # An ICMP refusal of the last datagram, if there is one, arrives a moment later.
            time.sleep(PAUSE_SECONDS)
            if error := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(error, os.strerror(error))
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self) -> socket.socket:
        host, port = self._address.host, self._address.port
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        found = socket.socket(family, kind, protocol)
        # A connected UDP socket reports ICMP refusals.
        found.connect(place)
        return found


class Stdout:
    """One JSON object per line on stdout. Delivered means accepted by the pipe or file."""

    def __init__(self, shape: Callable[[EventRow], dict[str, Any]], out: int = STDOUT) -> None:
        self._shape, self._out = shape, out

    def send(self, rows: Sequence[EventRow], deadline: float) -> None:  # noqa: ARG002
        rest = "".join(json_formats.line(self._shape(row)) for row in _yielding(rows)).encode(
            "ascii"
        )
        while rest:
            # os.write: the lock of sys.stdout would block every thread while a reader stalls.
            rest = rest[os.write(self._out, rest) :]

    def close(self) -> None:
        """Nothing is buffered."""


def open_sink(address: SinkAddress, ca: Path | None) -> Sink:
    """The transport for `address`. It connects at the first row."""
    if address.kind == "syslog+tls":
        return SyslogTls(address, ca)
    if address.kind == "syslog+udp":
        return SyslogUdp(address)
    return Stdout(json_formats.ecs if address.kind == "stdout:ecs" else json_formats.ocsf)


def _yielding(rows: Iterable[EventRow]) -> Iterator[EventRow]:
    """The rows, giving up the interpreter lock after each so that requests go first."""
    for row in rows:
        yield row
        # Without this the thread would keep the interpreter lock for 5 ms at a time.
        time.sleep(0)


def _seconds_left(deadline: float) -> float:
    """Seconds until `deadline`. Raises TimeoutError after it."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the sink took too long")
    return left


def _send_all(connection: ssl.SSLSocket, frames: bytes, deadline: float) -> None:
    rest = memoryview(frames)
    while rest:
        # sendall would apply the whole timeout to each piece.
        connection.settimeout(_seconds_left(deadline))
        rest = rest[connection.send(rest) :]


def _wait_until_confirmed(connection: ssl.SSLSocket, deadline: float) -> None:
    while _unconfirmed(connection):
        _seconds_left(deadline)
        time.sleep(0.002)
    if _is_closed(connection):
        raise ConnectionResetError("the collector has closed the connection")


def _unconfirmed(connection: ssl.SSLSocket) -> int:
    """Octets that the peer's machine has not confirmed; 0 where the system cannot tell."""
    if sys.platform != "linux":
        return 0
    import fcntl
    import termios

    answer = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0" * 4)
    found: int = struct.unpack("i", answer)[0]
    return found


def _is_closed(connection: ssl.SSLSocket) -> bool:
    """Whether the peer has closed the connection. Data from the peer is discarded."""
    connection.settimeout(0)
    try:
        while connection.recv(4096):
            pass
    except (ssl.SSLWantReadError, BlockingIOError):
        return False
    except OSError:
        return True
    return True
