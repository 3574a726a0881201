"""B6: whose address is believed, and whether the server that runs can be asked for it at all."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
import uvicorn
from uvicorn.lifespan.on import LifespanOn

from core.errors import ConfigurationError
from core.settings import Settings
from main import create_app
from routes.edge.peer_address import UNKNOWN, PeerAddresses

REWRITTEN = {"client": ("6.6.6.6", 0)}


class Cycle:
    """What sends a response in uvicorn: an object that has the transport of its connection."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport

    async def send(self, message: Any) -> None:
        raise AssertionError(message)


async def bare_send(message: Any) -> None:
    raise AssertionError(message)


def lifespan_send(*, proxy_headers: bool, http: Any = "auto") -> Any:
    """The `send` that a real uvicorn gives to the lifespan."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError(scope)

    config = uvicorn.Config(app, proxy_headers=proxy_headers, http=http, log_config=None)
    return LifespanOn(config).send


def hiding() -> type:
    """A protocol of a server whose responses are sent without a transport."""
    module = ModuleType("server_that_hides")
    protocol = type("Protocol", (), {"__module__": module.__name__})
    module.__dict__["RequestResponseCycle"] = lambda scope: None
    sys.modules[module.__name__] = module
    return protocol


@pytest.mark.parametrize("http", ["auto", "h11", "httptools"])
@pytest.mark.parametrize("proxy_headers", [True, False])
def test_this_uvicorn_starts_with_and_without_proxy_headers(proxy_headers: bool, http: str) -> None:
    """`uvicorn main:app --reload` has them on by default."""
    PeerAddresses().check_server(lifespan_send(proxy_headers=proxy_headers, http=http))


def test_a_server_that_rewrites_the_client_and_hides_its_sockets_is_refused() -> None:
    """B6: otherwise anyone on the host could write any address into the audit trail."""
    with pytest.raises(ConfigurationError, match="--no-proxy-headers"):
        PeerAddresses().check_server(lifespan_send(proxy_headers=True, http=hiding()))


def test_a_server_that_hides_its_sockets_is_taken_without_proxy_headers() -> None:
    PeerAddresses().check_server(lifespan_send(proxy_headers=False, http=hiding()))


def test_the_refusal_is_said_in_the_lifespan_and_nothing_is_opened(tmp_path: Path) -> None:
    """Raising would not do: uvicorn would take the service for one without a lifespan."""
    app = create_app(
        Settings(
            database_url=f"sqlite:///{tmp_path}/app.db",
            log_file=tmp_path / "app.log",
        )
    )
    config = uvicorn.Config(app, proxy_headers=True, http=hiding(), log_config=None)
    lifespan = LifespanOn(config)
    asyncio.run(lifespan.startup())
    assert lifespan.should_exit
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("proxy_headers", [True, False])
def test_the_socket_is_asked_whatever_the_scope_says(proxy_headers: bool) -> None:
    peers = PeerAddresses()
    peers.check_server(lifespan_send(proxy_headers=proxy_headers))
    transport = Mock(get_extra_info=Mock(return_value=("203.0.113.7", 4711)))
    assert peers.peer_of(REWRITTEN, Cycle(transport).send) == "203.0.113.7"
    transport.get_extra_info.assert_called_once_with("peername")


def test_a_client_that_may_be_rewritten_is_not_believed_without_its_socket() -> None:
    """Something between uvicorn and the service wraps `send`, but not that of the lifespan."""
    peers = PeerAddresses()
    peers.check_server(lifespan_send(proxy_headers=True))
    assert peers.peer_of(REWRITTEN, bare_send) == UNKNOWN


def test_a_server_that_does_not_rewrite_the_client_is_believed() -> None:
    peers = PeerAddresses()
    peers.check_server(lifespan_send(proxy_headers=False))
    assert peers.peer_of({"client": ("203.0.113.7", 0)}, bare_send) == "203.0.113.7"
    assert peers.peer_of({}, bare_send) == UNKNOWN


def test_ipv4_in_ipv6_is_ipv4() -> None:
    transport = SimpleNamespace(get_extra_info=lambda _: ("::ffff:203.0.113.7", 4711, 0, 0))
    assert PeerAddresses().peer_of({}, Cycle(transport).send) == "203.0.113.7"
