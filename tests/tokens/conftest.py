"""Running services in which Jane has an account, for tokens that must be refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from core.config import DEVELOPMENT_SECRET
from devtools.authenticator import SoftAuthenticator
from tests.support.clock import HeldClock
from tests.support.service import Service
from tests.tokens.forge import Genuine

OTHER = "the-other-one-of-two-secrets-while-they-are-rotated"


@dataclass(frozen=True)
class Target:
    """A service, the id of its only user, and a token that authorizes her to read her profile."""

    service: Service
    user_id: str
    good: Genuine


# Every forgery is signed with the development secret. The service has that secret in this role.
KNOWN_AS: dict[str, dict[str, str]] = {
    "the only secret": {},
    "the current secret": {"jwt_secret_previous": OTHER},
    "the previous secret": {"jwt_secret": OTHER, "jwt_secret_previous": DEVELOPMENT_SECRET},
}


@pytest.fixture(scope="module", params=[*KNOWN_AS.values()], ids=[*KNOWN_AS])
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    folder, device = tmp_path_factory.mktemp("target"), SoftAuthenticator()
    settings = {"clock": HeldClock(), "danger_rate_limits_off": True, **request.param}
    with Service(folder, **settings) as service:
        user = service.register(device)
        # Signed with the development secret, as if issued before the secrets were rotated.
        good = Genuine(service.login(device)).with_claims()
        yield Target(service, user["id"], Genuine(good))
