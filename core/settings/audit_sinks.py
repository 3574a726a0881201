"""Where the audit trail is sent besides the table: one entry of AUDIT_SINK, read and judged."""

from __future__ import annotations

import ipaddress
import re
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

# RFC 5425 §4.1 and RFC 5426 §3.3.
PORTS = {"syslog+tls": 6514, "syslog+udp": 514}
STDOUT = ("stdout:ecs", "stdout:ocsf")
HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
# The entry itself is not quoted: a user and a password may stand in it.
WRONG = (
    "AUDIT_SINK: an entry is none of syslog+tls://host:6514, syslog+udp://host:514, "
    "stdout:ecs, stdout:ocsf"
)


class SinkAddress(NamedTuple):
    """One sink. `kind` is the part before the first colon, or all of it for stdout."""

    kind: str
    host: str = ""
    port: int = 0

    @property
    def name(self) -> str:
        """The one spelling under which the outbox remembers this sink."""
        if not self.host:
            return self.kind
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind}://{host}:{self.port}"


def parse(entry: str) -> SinkAddress:
    """Read one entry. Raises ValueError with the sentence for the operator."""
    if entry in STDOUT:
        return SinkAddress(entry)
    try:
        parts = urlsplit(entry)
        port = parts.port
    except ValueError:
        raise ValueError(WRONG) from None
    host, kind = parts.hostname or "", parts.scheme
    beyond = parts.path or parts.query or parts.fragment or "@" in parts.netloc
    if kind not in PORTS or beyond or port == 0 or not _is_host(host):
        raise ValueError(WRONG)
    return SinkAddress(kind, host, port or PORTS[kind])


def check(entries: Iterable[str], ca: Path | None) -> None:
    """Refuse sinks that cannot work, or not together. Raises ValueError."""
    addresses = [parse(entry) for entry in entries]
    names = [address.name for address in addresses]
    if len(set(names)) < len(names):
        raise ValueError("AUDIT_SINK names one sink twice")
    if len(set(STDOUT) & set(names)) > 1:
        raise ValueError("AUDIT_SINK: stdout takes one format, ecs or ocsf")
    if ca is None:
        return
    if all(address.kind != "syslog+tls" for address in addresses):
        raise ValueError("AUDIT_SINK_CA is set, but no sink of AUDIT_SINK is syslog+tls")
    tls_context(ca)


def tls_context(ca: Path | None) -> ssl.SSLContext:
    """What a collector must prove: a certificate for its name, from `ca` or the system's roots."""
    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError):
        raise ValueError("AUDIT_SINK_CA is no readable file of PEM certificates") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _is_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # Digits and dots that are no address are no name either.
        return bool(HOST.fullmatch(host)) and not host.rpartition(".")[2].isdigit()
    return True
