"""AUDIT_SINK: the addresses to which the audit trail is forwarded, parsed and checked."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from core.settings.hosts import HOST_NAME

# RFC 5425 §4.1 and RFC 5426 §3.3.
PORTS = {"syslog+tls": 6514, "syslog+udp": 514}
STDOUT = ("stdout:ecs", "stdout:ocsf")
# The entry is not quoted: it may hold a user and a password.
MALFORMED = (
    "AUDIT_SINK: an entry is none of syslog+tls://host:6514, syslog+udp://host:514, "
    "stdout:ecs, stdout:ocsf"
)


class SinkAddress(NamedTuple):
    """One sink. `kind` is the scheme (`syslog+tls`), or the whole entry for stdout."""

    kind: str
    host: str = ""
    port: int = 0

    @property
    def name(self) -> str:
        """The canonical spelling, which is the key of this sink in the table audit_sinks."""
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
        raise ValueError(MALFORMED) from None
    host, kind = parts.hostname or "", parts.scheme
    has_more = parts.path or parts.query or parts.fragment or "@" in parts.netloc
    if kind not in PORTS or has_more or port == 0 or not _is_host(host):
        raise ValueError(MALFORMED)
    return SinkAddress(kind, host, port or PORTS[kind])


def check(entries: Iterable[str], ca: Path | None) -> None:
    """Refuse sinks that cannot work, alone or together. `ca`: AUDIT_SINK_CA. Raises ValueError."""
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
    """A TLS context that demands a certificate for the host name, from `ca` or the system roots.

    Raises ValueError if `ca` is not a readable PEM file.
    """
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
        # Digits and dots that are not an IP address are not a host name either.
        return bool(HOST_NAME.fullmatch(host)) and not host.rpartition(".")[2].isdigit()
    return True
