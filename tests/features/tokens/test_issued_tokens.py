"""The tokens that the service issues: what is in them, and how long they live."""

from __future__ import annotations

import uuid
from typing import Any

import jwt
import pytest

from core.tokens.access_tokens import LEEWAY_SECONDS
from devtools.authenticator import SoftAuthenticator
from tests.conftest import StartService
from tests.features.tokens.forge import KEY, Genuine
from tests.support.clock import HeldClock
from tests.support.service import JANE, Service

SECRET = "a-secret-of-sixty-four-bytes-for-the-longest-hash-there-is-1234567"
CLAIMS = {
    *("sub", "email", "first_name", "last_name", "role", "iat", "exp"),
    *("iss", "aud", "jti", "auth_time", "amr"),
}


def issued(service: Service, device: SoftAuthenticator) -> tuple[dict[str, Any], Genuine]:
    return service.register(device), Genuine(service.login(device))


def test_a_token_carries_the_claims_of_the_contract(
    service: Service, device: SoftAuthenticator, clock: HeldClock
) -> None:
    """C2: the subject, the audience, and the times of issue and expiry."""
    user, good = issued(service, device)
    now = int(clock.now().timestamp())
    assert good.claims.keys() == CLAIMS
    assert {name: good.claims[name] for name in ("email", "first_name", "last_name", "role")} == {
        name: user[name] for name in ("email", "first_name", "last_name", "role")
    }
    assert good.claims["sub"] == user["id"]
    assert (good.claims["iat"], good.claims["exp"]) == (now, now + 3600)
    assert good.claims["auth_time"] == now
    assert (good.claims["iss"], good.claims["aud"]) == ("http://localhost:8000", "localhost")
    assert str(uuid.UUID(good.claims["jti"])) == good.claims["jti"]
    assert good.header == {"alg": "HS256", "typ": "at+jwt"}


def test_another_service_verifies_a_token_with_the_secret_alone(
    service: Service, device: SoftAuthenticator
) -> None:
    """The token is stateless: no call to this service is needed to read it."""
    user, good = issued(service, device)
    claims = jwt.decode(good.text, KEY, algorithms=["HS256"], audience="localhost")
    assert claims["sub"] == user["id"]


def test_every_token_has_an_id_of_its_own(service: Service, device: SoftAuthenticator) -> None:
    """C2: two logins within one second are two tokens."""
    _, first = issued(service, device)
    assert first.claims["jti"] != Genuine(service.login(device)).claims["jti"]


def test_a_token_lives_exactly_as_long_as_it_says(
    service: Service, device: SoftAuthenticator, clock: HeldClock
) -> None:
    """C2: accepted in its last second, and refused at the second of `exp`."""
    user, good = issued(service, device)
    until_exp = good.claims["exp"] - clock.now().timestamp()
    clock.advance(until_exp - 1)
    assert service.get(f"/users/{user['id']}", good.text).status_code == 200
    clock.advance(1)
    assert service.get(f"/users/{user['id']}", good.text).status_code == 401
    assert service.last_audit("token_rejected")["reason"] == "expired"


def test_a_clock_a_little_behind_takes_a_fresh_token(
    service: Service, device: SoftAuthenticator, clock: HeldClock
) -> None:
    """C2: the clocks of two machines may differ by seconds, but not by an hour."""
    user, good = issued(service, device)
    clock.set_wall(-LEEWAY_SECONDS + 1)
    assert service.get(f"/users/{user['id']}", good.text).status_code == 200
    clock.set_wall(-3600)
    assert service.get(f"/users/{user['id']}", good.text).status_code == 401


@pytest.mark.parametrize("minutes", [1, 1440])
def test_the_life_of_a_token_is_a_setting(
    start_service: StartService, device: SoftAuthenticator, clock: HeldClock, minutes: int
) -> None:
    """C2: JWT_EXPIRATION_MINUTES, for the claim and for its verification."""
    service = start_service(clock=clock, jwt_expiration_minutes=minutes)
    user, good = issued(service, device)
    assert good.claims["exp"] - good.claims["iat"] == minutes * 60
    assert service.get(f"/users/{user['id']}", good.text).status_code == 200
    longer = good.with_claims(exp=good.claims["exp"] + 1)
    assert service.get(f"/users/{user['id']}", longer).status_code == 401


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_the_algorithm_is_a_setting_and_the_only_one_taken(
    start_service: StartService, device: SoftAuthenticator, algorithm: str
) -> None:
    """C1: JWT_ALGORITHM. A token of another algorithm is refused, with the same key too."""
    service = start_service(jwt_secret=SECRET, jwt_algorithm=algorithm)
    user, good = issued(service, device)
    assert good.header["alg"] == algorithm
    assert service.get(f"/users/{user['id']}", good.text).status_code == 200
    for other in {"HS256", "HS384", "HS512"} - {algorithm}:
        text = jwt.encode(good.claims, SECRET, other, headers={"typ": "at+jwt"})
        assert service.get(f"/users/{user['id']}", text).status_code == 401


def test_issuer_and_audience_are_settings(
    start_service: StartService, device: SoftAuthenticator
) -> None:
    """C2 C3: a token of a service with the same secret and another name is foreign."""
    names = {"jwt_issuer": "https://id.example", "jwt_audience": "api"}
    service = start_service(**names)
    user, good = issued(service, device)
    assert (good.claims["iss"], good.claims["aud"]) == ("https://id.example", "api")
    assert service.get(f"/users/{user['id']}", good.text).status_code == 200
    foreign = good.with_claims(iss="http://localhost:8000", aud="localhost")
    assert service.get(f"/users/{user['id']}", foreign).status_code == 401


def test_a_login_answers_with_the_token_and_whom_it_is_for(
    service: Service, device: SoftAuthenticator
) -> None:
    """The members of the contract, and no others."""
    user = service.register(device)
    body = service.try_login(device).json()
    assert body.keys() == {"access_token", "token_type", "user"}
    assert body["token_type"] == "bearer"
    members = ("id", "first_name", "last_name", "email", "role")
    assert body["user"] == {name: user[name] for name in members}
    assert body["user"]["email"] == JANE["email"]
