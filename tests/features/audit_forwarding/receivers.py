"""Collectors on loopback: a syslog server over TLS, with a CA of its own, and one over UDP."""

from __future__ import annotations

import datetime
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.process import free_port

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "collector of the tests")])
NOW = datetime.datetime.now(datetime.UTC)


def make_ca(folder: Path, host: str = "127.0.0.1") -> tuple[Path, Path]:
    """A self-signed CA certificate for `host`, alone and together with its key."""
    folder.mkdir(exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder(NAME, NAME, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=1))
        .not_valid_after(NOW + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    ca, chain = folder / "ca.pem", folder / "chain.pem"
    ca.write_bytes(public)
    chain.write_bytes(public + private)
    return ca, chain


def id_of(message: bytes) -> str:
    """The audit row that a syslog message is about."""
    found = re.search(rb' id="([^"]+)"', message)
    assert found, message
    return found[1].decode()


class TlsCollector:
    """Keeps every message, in the order of arrival; `hook` is called with each."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        self.ca, chain = make_ca(folder, host)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(chain)
        self.port = free_port()
        self.url = f"syslog+tls://127.0.0.1:{self.port}"
        self.messages: list[bytes] = []
        self.hook: Callable[[bytes], None] = lambda message: None
        self._listener: socket.socket | None = None
        self._open: list[socket.socket] = []

    def __enter__(self) -> TlsCollector:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ids(self) -> list[str]:
        return [id_of(message) for message in list(self.messages)]

    def start(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        self._listener = listener
        threading.Thread(target=self._accept, args=[listener], daemon=True).start()

    def stop(self) -> None:
        """Stop, as if the machine of the collector had failed."""
        if self._listener is not None:
            # `close` alone would not end a blocked `accept`.
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        while self._open:
            with suppress(OSError):
                self._open.pop().close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError):
            secure = self._context.wrap_socket(connection, server_side=True)
            self._open.append(secure)
            with secure, secure.makefile("rb") as stream:
                self._read(stream.read)

    def _read(self, read: Callable[[int], bytes]) -> None:
        while True:
            count = b""
            while (digit := read(1)) not in (b" ", b""):
                count += digit
            if not count:
                return
            message = read(int(count))
            assert len(message) == int(count)
            self.messages.append(message)
            self.hook(message)


class UdpCollector:
    """A socket that syslog datagrams are sent to."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(10)
        self.url = f"syslog+udp://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> UdpCollector:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def receive(self, count: int) -> list[bytes]:
        return [self._socket.recv(65536) for _ in range(count)]
