"""Whose address stands in the audit trail when proxies stand between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.cases import crossed
from tests.support.service import Service

PEER = "127.0.0.1"
CLIENT = "203.0.113.7"
PROXIES = ("127.0.0.1/32", "10.0.0.0/8", "fd00::/8")
# The values of X-Forwarded-For, and who is believed to have called.
FORWARDED: dict[str, tuple[list[str], str]] = {
    "no header": ([], PEER),
    "an empty header": ([""], PEER),
    "one hop": ([CLIENT], CLIENT),
    "one hop that is IPv6": (["2001:db8::7"], "2001:db8::7"),
    "a forged hop before it": ([f"6.6.6.6, {CLIENT}"], CLIENT),
    "a trusted hop after it": ([f"{CLIENT}, 10.1.2.3"], CLIENT),
    "both": ([f"6.6.6.6, {CLIENT}, 10.1.2.3, fd00::1"], CLIENT),
    "two headers": (["6.6.6.6", f"{CLIENT}, 10.1.2.3"], CLIENT),
    "a trusted address claimed by the client": ([f"10.9.9.9, {CLIENT}"], CLIENT),
    "trusted hops alone": (["10.1.2.3, 10.4.5.6"], "10.1.2.3"),
    "a port": ([f"{CLIENT}:4711"], CLIENT),
    "an IPv6 port": (["[2001:db8::7]:4711"], "2001:db8::7"),
    "IPv4 in IPv6": ([f"::ffff:{CLIENT}"], CLIENT),
    "IPv6 in its long form": (["2001:0db8:0:0:0:0:0:7"], "2001:db8::7"),
    "no spaces": ([f"6.6.6.6,{CLIENT},10.1.2.3"], CLIENT),
    "junk": (["<script>"], PEER),
    "junk left of a trusted hop": (["unknown, 10.1.2.3"], "10.1.2.3"),
    "octal digits": (["203.0.113.07"], PEER),
    "a hundred hops": ([", ".join(["6.6.6.6"] * 99 + [CLIENT])], CLIENT),
    "a hundred trusted hops": ([", ".join([CLIENT] + ["10.1.2.3"] * 99)], "10.1.2.3"),
    "30 kB of it": (["6.6.6.6," * 4000 + CLIENT], CLIENT),
}


def address_on_record(service: Service, forwarded: list[str], **headers: str) -> str:
    fields = [("X-Forwarded-For", value) for value in forwarded] + list(headers.items())
    service.request("POST", "/login/begin", json={}, headers=fields)
    address: str = service.last_audit("login_begin")["ip_address"]
    return address


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Service]]:
    """Services by whom they trust; their callers are all at 127.0.0.1."""
    trusted = {"proxies": PROXIES, "others": ("10.0.0.0/8",), "nobody": ()}
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                Service(tmp_path_factory.mktemp(name), trusted_proxies=networks)
            )
            for name, networks in trusted.items()
        }


@pytest.mark.parametrize(("forwarded", "believed"), FORWARDED.values(), ids=FORWARDED)
def test_behind_trusted_proxies_the_right_most_stranger_is_the_caller(
    services: dict[str, Service], forwarded: list[str], believed: str
) -> None:
    """B6: only your own proxies are believed, and only as far as they reach."""
    assert address_on_record(services["proxies"], forwarded) == believed


@pytest.mark.parametrize(("trusted", "name"), crossed(["nobody", "others"], FORWARDED))
def test_an_untrusted_peer_is_the_caller_whatever_it_says(
    services: dict[str, Service], trusted: str, name: str
) -> None:
    """B6: the header of an untrusted peer is ignored."""
    forwarded, _ = FORWARDED[name]
    assert address_on_record(services[trusted], forwarded) == PEER


@pytest.mark.parametrize("header", ["Forwarded", "X-Real-IP", "Client-IP", "True-Client-IP"])
def test_no_other_header_is_believed(services: dict[str, Service], header: str) -> None:
    """B6: one header, from trusted proxies, and no other."""
    assert address_on_record(services["proxies"], [], **{header: CLIENT}) == PEER
