"""The address of a caller without a proxy: what the server says of the connection."""

from __future__ import annotations

import httpx
import pytest

from tests.support.service import Service


@pytest.mark.parametrize(
    ("client", "recorded"),
    [
        (("192.0.2.7", 4711), "192.0.2.7"),
        (("2001:db8::7", 4711), "2001:db8::7"),
        # As a socket for both families shows IPv4 (RFC 4291, section 2.5.5.2).
        (("::ffff:192.0.2.7", 4711), "192.0.2.7"),
    ],
)
def test_the_address_of_the_connection_is_recorded(
    shared: Service, client: tuple[str, int], recorded: str
) -> None:
    """B6: in one spelling, or one caller would have two rate limits."""

    async def call() -> None:
        transport = httpx.ASGITransport(shared.app, client=client)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as caller:
            await caller.post("/login/begin", json={})

    shared.run(call())
    assert shared.last_audit("login_begin")["ip_address"] == recorded
