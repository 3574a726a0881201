"""The address at the other end of a connection, read from its socket.

With `--proxy-headers`, which is on by default, uvicorn trusts an `X-Forwarded-For` from 127.0.0.1
and overwrites `scope["client"]` with it: anyone on the machine could write any address into the
audit trail. Only TRUSTED_PROXIES says which proxies are trusted (client_address.py). No public
name of uvicorn gives the socket: docs/decisions/0021 has the price of the two names used here.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

from starlette.types import Scope

from core.errors import ConfigurationError

UNKNOWN = "unknown"


class PeerAddresses:
    """Reads peer addresses, and knows whether the server rewrites `scope["client"]`."""

    def __init__(self) -> None:
        self._client_is_rewritten = False

    def check_server(self, send: Callable[..., Any]) -> None:
        """Check the server that runs the lifespan. `send`: that of the lifespan.

        Raises ConfigurationError for a uvicorn that rewrites the client and hides its sockets.
        """
        config = getattr(getattr(send, "__self__", None), "config", None)
        self._client_is_rewritten = getattr(config, "proxy_headers", False)
        if self._client_is_rewritten and not _shows_transport(config):
            raise ConfigurationError(
                "This uvicorn replaces the address of a client by what X-Forwarded-For says, and "
                "does not show the socket: start it with --no-proxy-headers"
            )

    def peer_of(self, scope: Scope, send: Callable[..., Any]) -> str:
        """The peer of a request; UNKNOWN if no trustworthy source has it."""
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        client = None if self._client_is_rewritten and transport is None else scope.get("client")
        peer = transport.get_extra_info("peername") if transport is not None else None
        if isinstance(peer, tuple):
            client = peer
        # A socket for both families shows IPv4 inside of IPv6 (RFC 4291 §2.5.5.2).
        return str(client[0]).removeprefix("::ffff:") if client else UNKNOWN


def _shows_transport(config: Any) -> bool:
    """Whether the object that sends a response is made with the transport of its connection."""
    module = sys.modules.get(config.http_protocol_class.__module__)
    cycle = getattr(module, "RequestResponseCycle", None)
    return cycle is not None and "transport" in inspect.signature(cycle).parameters
