"""Services with one user each, for the tokens that they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from core.settings.checks import DEVELOPMENT_SECRET
from devtools.authenticator import SoftAuthenticator
from tests.conftest import StartService
from tests.features.tokens.forge import Genuine
from tests.support.clock import HeldClock
from tests.support.service import Service

OTHER = "the-other-one-of-two-secrets-while-they-are-rotated"


@pytest.fixture
def clock() -> HeldClock:
    """A clock at the machine's time: some of these tests have PyJWT read a token by that."""
    return HeldClock()


@pytest.fixture
def service(start_service: StartService, clock: HeldClock) -> Service:
    """A service of the test's own, with its limits: the ceremonies' shared one has other time."""
    return start_service(clock=clock)


@dataclass(frozen=True)
class Target:
    """A service, its only user's id, and a token of hers that opens her profile."""

    service: Service
    user_id: str
    good: Genuine


# Every forgery is signed with the development secret, which the service knows as one of these.
KNOWN_AS: dict[str, dict[str, str]] = {
    "the only secret": {},
    "the current secret": {"jwt_secret_previous": OTHER},
    "the previous secret": {"jwt_secret": OTHER, "jwt_secret_previous": DEVELOPMENT_SECRET},
}


@pytest.fixture(scope="module", params=KNOWN_AS)
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    folder, device = tmp_path_factory.mktemp("target"), SoftAuthenticator()
    secrets: dict[str, Any] = KNOWN_AS[request.param]
    with Service(folder, clock=HeldClock(), danger_rate_limits_off=True, **secrets) as service:
        user = service.register(device)
        # As it was issued before the secrets changed, if they have.
        good = Genuine(service.login(device)).with_claims()
        yield Target(service, user["id"], Genuine(good))
