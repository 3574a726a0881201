"""Origins of other domains that may use this relying party's passkeys (WebAuthn L3 §5.11).

A browser counts the names under which they are registered, and need not look beyond the fifth.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from publicsuffixlist import PublicSuffixList

# §5.11.1: "Clients supporting this feature SHOULD support at least five registrable origin labels."
MAX_RELATED_LABELS = 5


def related_labels(hosts: Iterable[str]) -> set[str]:
    """The registrable origin labels of `hosts`: `shop` for shop.de and www.shop.co.uk alike.

    Raises ValueError for a host that nobody can register: browsers pass over it.
    """
    return {_label(host) for host in hosts}


@cache
def public_suffixes() -> PublicSuffixList:
    """The list of what nobody can register, as pinned; read once, and only if it is asked for."""
    return PublicSuffixList()


def _label(host: str) -> str:
    # An address ends in a number, which to the list is a suffix like any other.
    number = host.rpartition(".")[2].isdigit()
    registered = None if number else public_suffixes().privatesuffix(host)
    if registered is None:
        raise ValueError(f"RELATED_ORIGINS: {host} is no domain that one can register")
    return registered.partition(".")[0]
