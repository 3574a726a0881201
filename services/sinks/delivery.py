"""The ways out: each takes a batch of rows, and returns when as much is known as can be known.

Everything here blocks, and runs in a thread of its own (services/shipping.py). A deadline is a
moment of `time.monotonic`; nothing is sent after it. What goes wrong is an OSError.
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

from core.sink_address import SinkAddress, tls_context
from services.sinks import documents, syslog
from stores.outbox import EventRow

CONNECT_SECONDS = 5.0
GOODBYE_SECONDS = 0.5
STDOUT = 1
# A receiver's buffer holds some hundred datagrams: it gets time to empty it.
BURST, PAUSE_SECONDS = 50, 0.005


class Sink(Protocol):
    """Somewhere that rows are sent to, in order."""

    def send(self, rows: Sequence[EventRow], deadline: float) -> None:
        """Send all of them. Raises OSError if any may not have arrived."""
        ...

    def close(self) -> None:
        """End what is open, politely if that is quick."""
        ...


class SyslogTls:
    """RFC 5425: octet counted messages over TLS, to a collector that proved its name.

    Syslog has no receipt. Taken is what the collector's machine has confirmed (nothing is left in
    the send queue, on Linux) over a connection that the collector has not closed. What the
    collector's own process had not yet read when it died is not covered by that.
    """

    def __init__(self, address: SinkAddress, ca: Path | None) -> None:
        self._address, self._context = address, tls_context(ca)
        self._socket: ssl.SSLSocket | None = None
        self._host = socket.gethostname()

    def send(self, rows: Sequence[EventRow], deadline: float) -> None:
        frames = b"".join(
            syslog.octet_counted(syslog.message(row, self._host, syslog.MAX_TLS_OCTETS))
            for row in _one_by_one(rows)
        )
        try:
            if self._socket is None or _is_closed(self._socket):
                self._socket = self._connect(deadline)
            _send_all(self._socket, frames, deadline)
            _wait_until_taken(self._socket, deadline)
        except OSError:
            self._drop()
            raise

    def close(self) -> None:
        if self._socket is None:
            return
        with suppress(OSError, ValueError):
            # RFC 5425 §4.4: a sender says that it ends.
            self._socket.settimeout(GOODBYE_SECONDS)
            self._socket.unwrap()
        self._drop()

    def _connect(self, deadline: float) -> ssl.SSLSocket:
        self._drop()
        host, port = self._address.host, self._address.port
        plain = socket.create_connection((host, port), min(CONNECT_SECONDS, _left(deadline)))
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
    """RFC 5426: one message, one datagram, and no way to know whether it arrived."""

    def __init__(self, address: SinkAddress) -> None:
        self._address = address
        self._socket: socket.socket | None = None
        self._host = socket.gethostname()

    def send(self, rows: Sequence[EventRow], deadline: float) -> None:
        try:
            self._socket = self._socket or self._open()
            for number, row in enumerate(rows, 1):
                self._socket.settimeout(_left(deadline))
                self._socket.send(syslog.message(row, self._host, syslog.MAX_UDP_OCTETS))
                if number % BURST == 0:
                    time.sleep(PAUSE_SECONDS)
            # A refusal of the last datagram comes a moment later, if it comes at all.
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
        # Connected, the socket hears when nobody listens there.
        found.connect(place)
        return found


class Stdout:
    """One JSON object per line; taken is what the pipe or file has taken, however long it takes."""

    def __init__(self, shape: Callable[[EventRow], dict[str, Any]], out: int = STDOUT) -> None:
        self._shape, self._out = shape, out

    def send(self, rows: Sequence[EventRow], deadline: float) -> None:  # noqa: ARG002
        rest = "".join(documents.line(self._shape(row)) for row in _one_by_one(rows)).encode(
            "ascii"
        )
        while rest:
            # Not sys.stdout: a reader that stalls would make everyone wait who prints.
            rest = rest[os.write(self._out, rest) :]

    def close(self) -> None:
        """Nothing is held back."""


def open_sink(address: SinkAddress, ca: Path | None) -> Sink:
    """The sink at `address`; nothing is opened before the first row."""
    if address.kind == "syslog+tls":
        return SyslogTls(address, ca)
    if address.kind == "syslog+udp":
        return SyslogUdp(address)
    return Stdout(documents.ecs if address.kind == "stdout:ecs" else documents.ocsf)


def _one_by_one(rows: Iterable[EventRow]) -> Iterator[EventRow]:
    """The rows, with a moment after each in which the threads that serve requests go first."""
    for row in rows:
        yield row
        # Or Python would let this thread compute for 5 ms each time before another may.
        time.sleep(0)


def _left(deadline: float) -> float:
    """Seconds until then. Raises TimeoutError when there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the sink took too long")
    return left


def _send_all(connection: ssl.SSLSocket, frames: bytes, deadline: float) -> None:
    rest = memoryview(frames)
    while rest:
        # sendall would grant the whole time to each piece anew.
        connection.settimeout(_left(deadline))
        rest = rest[connection.send(rest) :]


def _wait_until_taken(connection: ssl.SSLSocket, deadline: float) -> None:
    while _unconfirmed(connection):
        _left(deadline)
        time.sleep(0.002)
    if _is_closed(connection):
        raise ConnectionResetError("the collector has closed the connection")


def _unconfirmed(connection: ssl.SSLSocket) -> int:
    """Octets that the other machine has not confirmed yet; 0 where the system cannot tell."""
    if sys.platform != "linux":
        return 0
    import fcntl
    import termios

    answer = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0" * 4)
    found: int = struct.unpack("i", answer)[0]
    return found


def _is_closed(connection: ssl.SSLSocket) -> bool:
    """Whether the other side has ended the connection; what it says meanwhile is not for us."""
    connection.settimeout(0)
    try:
        while connection.recv(4096):
            pass
    except (ssl.SSLWantReadError, BlockingIOError):
        return False
    except OSError:
        return True
    return True
