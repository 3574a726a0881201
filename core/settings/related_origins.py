"""Origins of other domains that may use this relying party's passkeys (WebAuthn L3 §5.11).

A browser counts distinct registrable labels and may ignore all after the fifth.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from publicsuffixlist import PublicSuffixList

# §5.11.1: "Clients supporting this feature SHOULD support at least five registrable origin labels."
MAX_RELATED_LABELS = 5


def related_labels(hosts: Iterable[str]) -> set[str]:
    """The registrable origin labels of `hosts`: `shop` for shop.de and www.shop.co.uk alike.

    Raises ValueError for a host that has no registrable domain: browsers ignore such an origin.
    """
    return {_label(host) for host in hosts}


@cache
def public_suffixes() -> PublicSuffixList:
    """The pinned public suffix list. Loaded at first use, because few services need it."""
    return PublicSuffixList()


def _label(host: str) -> str:
    # The list treats the last number of an IP address as a suffix, so addresses are refused here.
    number = host.rpartition(".")[2].isdigit()
    registered = None if number else public_suffixes().privatesuffix(host)
    if registered is None:
        raise ValueError(f"RELATED_ORIGINS: {host} is no domain that one can register")
    return registered.partition(".")[0]
