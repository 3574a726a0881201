"""The address of a client, from `X-Forwarded-For`: only TRUSTED_PROXIES are trusted."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

# A longer list is cut at its left end, which any client can write.
MAX_HOPS = 32


class TrustedProxies:
    """The networks whose `X-Forwarded-For` is trusted."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks: list[IPv4Network | IPv6Network] = list(map(ipaddress.ip_network, networks))
        self._contains = lru_cache(maxsize=4096)(self._is_within)

    def client_of(self, peer: str, forwarded: Sequence[str]) -> str:
        """The right-most hop that is not a trusted proxy; `peer` if `peer` itself is not one.

        peer: the other end of the connection; forwarded: the values of all `X-Forwarded-For`
        headers, in their order. A hop that is not an address ends the search: no trusted proxy
        wrote what stands left of it.
        """
        client = peer
        if not self._networks or not self._contains(peer):
            return client
        hops = [hop for value in forwarded for hop in value.split(",")]
        for hop in reversed(hops[-MAX_HOPS:]):
            address = _address(hop.strip())
            if address is None:
                break
            client = str(address)
            if not self._contains(client):
                break
        return client

    def _is_within(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(
            address in network for network in self._networks if network.version == address.version
        )


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address in `text`: proxies write ``1.2.3.4``, ``1.2.3.4:5678`` and ``[::1]:5678``."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
