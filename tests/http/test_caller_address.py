"""Whose address stands in the audit trail when proxies stand between."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from tests.support.process import running_server
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


@pytest.mark.parametrize(("forwarded", "_"), FORWARDED.values(), ids=FORWARDED)
@pytest.mark.parametrize("trusted", ["nobody", "others"])
def test_an_untrusted_peer_is_the_caller_whatever_it_says(
    services: dict[str, Service], trusted: str, forwarded: list[str], _: str
) -> None:
    """B6: the header of an untrusted peer is ignored."""
    assert address_on_record(services[trusted], forwarded) == PEER


@pytest.mark.parametrize("header", ["Forwarded", "X-Real-IP", "Client-IP", "True-Client-IP"])
def test_no_other_header_is_believed(services: dict[str, Service], header: str) -> None:
    """B6: one header, from trusted proxies, and no other."""
    assert address_on_record(services["proxies"], [], **{header: CLIENT}) == PEER


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[str, Path]]]:
    """A real uvicorn under its own defaults, by the proxies it trusts."""
    plain, proxied = tmp_path_factory.mktemp("plain"), tmp_path_factory.mktemp("proxied")
    with (
        running_server(plain) as plain_url,
        running_server(proxied, TRUSTED_PROXIES="127.0.0.1") as proxied_url,
    ):
        yield {"nobody": (plain_url, plain), "loopback": (proxied_url, proxied)}


@pytest.mark.parametrize(
    ("trusted", "forwarded", "believed"),
    [
        ("nobody", CLIENT, PEER),
        ("nobody", f"6.6.6.6, {CLIENT}", PEER),
        ("loopback", CLIENT, CLIENT),
        ("loopback", f"6.6.6.6, {CLIENT}", CLIENT),
        ("loopback", "junk", PEER),
    ],
)
def test_on_a_real_socket_the_server_does_not_believe_loopback_by_itself(
    servers: dict[str, tuple[str, Path]], trusted: str, forwarded: str, believed: str
) -> None:
    """B6: uvicorn trusts 127.0.0.1 by default; the service asks the socket."""
    url, folder = servers[trusted]
    headers = {"X-Forwarded-For": forwarded}
    httpx.post(f"{url}/login/begin", json={}, headers=headers, timeout=10, trust_env=False)
    with closing(sqlite3.connect(folder / "app.db")) as connection:
        row = connection.execute("SELECT ip_address FROM audit_logs ORDER BY rowid DESC").fetchone()
    assert row == (believed,)
