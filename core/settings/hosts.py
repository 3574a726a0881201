"""Host names and origins, as settings spell them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# Labels of RFC 1123 in lower case.
HOST_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


def host_of_origin(origin: str, name: str) -> str:
    """The host of `origin`, which must be spelled as browsers spell it (RFC 6454 §6.2).

    `name`: the variable, for the message. Raises ValueError.
    """
    # The entry is not quoted before it is known to be an origin: it may hold a password.
    malformed = f"{name}: an entry is not an origin like https://login.example.com"
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(malformed) from None
    default = {"https": 443, "http": 80}.get(parts.scheme)
    canonical = f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
    if default is None or port == default or origin != canonical or not HOST_NAME.fullmatch(host):
        raise ValueError(malformed)
    if parts.scheme == "http" and host != "localhost" and not host.endswith(".localhost"):
        raise ValueError(f"{name}: {origin} must be https outside localhost")
    return host
