"""One service with Jane in it, for all the tokens that never get past its door."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from devtools.authenticator import SoftAuthenticator
from tests.support.clock import HeldClock
from tests.support.service import Service
from tests.tokens.forge import Genuine


@dataclass(frozen=True)
class Door:
    """A service, its only user's id, and a token of hers that opens her profile."""

    service: Service
    user_id: str
    good: Genuine


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder, device = tmp_path_factory.mktemp("door"), SoftAuthenticator()
    with Service(folder, clock=HeldClock(), danger_rate_limits_off=True) as service:
        user = service.register(device)
        yield Door(service, user["id"], Genuine(service.login(device)))
