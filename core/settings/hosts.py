"""Host names, the origins of pages and those of Android apps, as settings spell them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from core.encoding import base64url_decode

# Labels of RFC 1123 in lower case.
HOST_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")

ANDROID_APP = "android:"
ANDROID_KEY_HASH = "android:apk-key-hash:"
# The application id of Android: two or more segments.
ANDROID_PACKAGE = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", re.ASCII)
# The application identifier of Apple: team id and bundle id.
APPLE_APP_ID = re.compile(r"[A-Z0-9]{10}\.[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


def fingerprint_of_app(origin: str) -> bytes:
    """The SHA-256 hash of an Android app's signing certificate, which its origin names.

    Android's credential manager writes such an origin into the client data of a native app. It is
    compared exactly, so there is one spelling. Raises ValueError.
    """
    prefix, text = origin[: len(ANDROID_KEY_HASH)], origin[len(ANDROID_KEY_HASH) :]
    try:
        digest = base64url_decode(text) if prefix == ANDROID_KEY_HASH else b""
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise ValueError(
            f"ORIGIN: an Android app is `{ANDROID_KEY_HASH}` and the SHA-256 of its signing "
            "certificate in base64url, 43 characters without padding"
        )
    return digest


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
