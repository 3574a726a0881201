"""Two processes behind one contract: begun at one, completed at the other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from devtools.authenticator import SoftAuthenticator
from tests.support import production
from tests.support.process import running_server
from tests.support.service import JANE

ORIGIN = "http://localhost:8000"
ROUNDS, TAKERS = 8, 16


@pytest.fixture
def two(tmp_path: Path, database: str) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Clients of two servers that share nothing but PostgreSQL and Redis."""
    shared = {"ORIGIN": ORIGIN, "DATABASE_URL": database, "REDIS_URL": production.REDIS}
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    with (
        running_server(folders[0], **shared) as one,
        running_server(folders[1], **shared) as other,
        httpx.Client(base_url=one, timeout=30) as first,
        httpx.Client(base_url=other, timeout=30) as second,
    ):
        yield first, second


def test_what_one_begins_the_other_completes_and_only_once(
    two: tuple[httpx.Client, httpx.Client], device: SoftAuthenticator
) -> None:
    """A2: of many completes at both, exactly one succeeds, round after round."""
    one, other = two
    email = JANE["email"]
    options = one.post("/register/begin", json=JANE).json()["publicKey"]
    body = {"email": email, "credential": device.create(options)}
    assert other.post("/register/complete", json=body).status_code == 201
    with ThreadPoolExecutor(TAKERS) as pool:
        for _ in range(ROUNDS):
            options = one.post("/login/begin", json={"email": email}).json()["publicKey"]
            login = {"email": email, "assertion": device.get(options)}
            sent = [
                pool.submit(client.post, "/login/complete", json=login)
                for client in two * (TAKERS // 2)
            ]
            statuses = sorted(answer.result().status_code for answer in sent)
            assert statuses == [200, *[401] * (TAKERS - 1)]
