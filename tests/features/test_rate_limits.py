"""Rate limits over HTTP: which requests are counted together, how many pass, and for how long."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from devtools.authenticator import SoftAuthenticator
from tests.conftest import StartService
from tests.support.clock import HeldClock
from tests.support.service import JANE, Service, person

LIMIT = 3
PROXY = "127.0.0.1/32"
STEPS = ("register_begin", "register_complete", "login_begin", "login_complete")


def send(service: Service, step: str, name: str, address: str) -> httpx.Response:
    """One request of this step, for `name`@example.com, from this address."""
    email = f"{name}@example.com"
    bodies: dict[str, Any] = {
        "register_begin": person(name),
        "register_complete": {"email": email, "credential": {}},
        "login_begin": {"email": email},
        "login_complete": {"email": email, "assertion": {}},
    }
    path = "/" + step.replace("_", "/")
    return service.post(path, bodies[step], headers={"X-Forwarded-For": address})


def statuses(answers: list[httpx.Response]) -> list[bool]:
    """Of each answer, whether it passed the limit."""
    return [answer.status_code != 429 for answer in answers]


@pytest.fixture
def behind_a_proxy(start_service: StartService) -> Any:
    """Starts a service that believes X-Forwarded-For, so that a test can have many addresses."""
    return lambda **limits: start_service(clock=HeldClock(), trusted_proxies=(PROXY,), **limits)


@pytest.mark.parametrize("step", STEPS)
def test_one_address_may_send_so_many_requests(behind_a_proxy: Any, step: str) -> None:
    """Whatever email each is for; another address is not affected."""
    service = behind_a_proxy(rate_limit_address=LIMIT)
    answers = [send(service, step, f"jane{n}", "192.0.2.7") for n in range(LIMIT + 1)]
    assert statuses(answers) == [True] * LIMIT + [False]
    assert answers[-1].headers["ratelimit-policy"] == f'"address";q={LIMIT};w=60'
    assert answers[-1].headers["ratelimit"].startswith('"address";r=0;t=')
    assert statuses([send(service, step, "jane", "192.0.2.8")]) == [True]
    (row,) = service.audit("rate_limited")
    assert (row["reason"], row["ip_address"]) == ("address", "192.0.2.7")
    assert row["details"] == f"More than {LIMIT} a minute of {step} (limit: address)"


def test_an_answer_says_how_many_requests_are_left(behind_a_proxy: Any) -> None:
    service = behind_a_proxy(rate_limit_address=LIMIT)
    for left in (2, 1, 0):
        fields = send(service, "login_begin", "jane", "192.0.2.7").headers
        assert fields["ratelimit-policy"] == f'"address";q={LIMIT};w=60'
        assert fields["ratelimit"].startswith(f'"address";r={left};t=')


@pytest.mark.parametrize("step", STEPS)
def test_one_email_may_be_tried_so_many_times(behind_a_proxy: Any, step: str) -> None:
    """Whatever address each request comes from; another email is not affected."""
    service = behind_a_proxy(rate_limit_email=LIMIT)
    answers = [send(service, step, "jane", f"192.0.2.{n}") for n in range(LIMIT + 1)]
    assert statuses(answers) == [True] * LIMIT + [False]
    assert statuses([send(service, step, "bob", "192.0.2.1")]) == [True]
    (row,) = service.audit("rate_limited")
    assert (row["reason"], row["user_email"]) == ("email", "jane@example.com")


@pytest.mark.parametrize("step", STEPS)
def test_everyone_together_may_send_so_many_requests(behind_a_proxy: Any, step: str) -> None:
    """From whatever address and for whatever email; another step is not affected."""
    service = behind_a_proxy(rate_limit_global=LIMIT)
    answers = [send(service, step, f"jane{n}", f"192.0.2.{n}") for n in range(LIMIT + 1)]
    assert statuses(answers) == [True] * LIMIT + [False]
    other = STEPS[STEPS.index(step) - 1]
    assert statuses([send(service, other, "jane", "192.0.2.9")]) == [True]
    assert service.last_audit("rate_limited")["reason"] == "global"


def test_who_is_over_their_own_limit_uses_up_no_other(behind_a_proxy: Any) -> None:
    """One address in a loop does not lock an email, nor everyone, out."""
    service = behind_a_proxy(rate_limit_address=1, rate_limit_email=3, rate_limit_global=3)
    for _ in range(10):
        send(service, "login_begin", "jane", "192.0.2.7")
    others = [send(service, "login_begin", "jane", f"192.0.2.{n}") for n in (8, 9)]
    assert statuses(others) == [True, True]


def test_a_request_over_the_limit_takes_no_challenge(behind_a_proxy: Any) -> None:
    """A refused completion does nothing: the ceremony is completed when the minute is over."""
    service, device = behind_a_proxy(rate_limit_address=1), SoftAuthenticator()
    service.register(device)
    assertion = device.get(service.begin_login())
    body = {"email": JANE["email"], "assertion": assertion}
    send(service, "login_complete", "bob", "127.0.0.1")
    refused = service.post("/login/complete", body)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    elsewhere = {"X-Forwarded-For": "192.0.2.7"}
    assert service.post("/login/complete", body, headers=elsewhere).status_code == 200


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", True),
        ("2001:db8:0:1::1", "2001:db8:0:0:ffff:ffff:ffff:ffff", False),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("192.0.2.7", "192.0.2.6", False),
        # The same address, as a socket for both families shows it.
        ("192.0.2.7", "::ffff:192.0.2.7", True),
    ],
)
def test_a_network_of_ipv6_counts_as_one_address(
    behind_a_proxy: Any, first: str, second: str, shared: bool
) -> None:
    """One home or office has a whole /64, and not a bit more; IPv4 counts as it is."""
    service = behind_a_proxy(rate_limit_address=1)
    assert statuses([send(service, "login_begin", "jane", first)]) == [True]
    assert statuses([send(service, "login_begin", "bob", second)]) == [not shared]


@pytest.mark.sqlite
def test_the_minute_has_sixty_seconds(behind_a_proxy: Any) -> None:
    """To the instant; on Redis its own clock counts, and the next test looks at that."""
    service = behind_a_proxy(rate_limit_address=1)
    send(service, "login_begin", "jane", "192.0.2.7")
    service.let_pass(59.9)
    refused = send(service, "login_begin", "jane", "192.0.2.7")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    service.let_pass(0.1)
    assert statuses([send(service, "login_begin", "jane", "192.0.2.7")]) == [True]


def test_a_refused_client_is_told_when_the_minute_is_over(behind_a_proxy: Any) -> None:
    """60 s from its first request, less what the test itself has taken."""
    service = behind_a_proxy(rate_limit_address=1)
    answers = [send(service, "login_begin", "jane", "192.0.2.7") for _ in range(2)]
    assert statuses(answers) == [True, False]
    assert 45 <= int(answers[1].headers["retry-after"]) <= 60


def test_refused_tokens_are_counted_by_address(behind_a_proxy: Any) -> None:
    """Nobody fills the trail with tokens that they made up."""
    service = behind_a_proxy(rate_limit_address=LIMIT)

    def answer(address: str) -> int:
        headers = {"X-Forwarded-For": address}
        return int(service.get("/users/x", "made.up.token", headers=headers).status_code)

    assert [answer("192.0.2.7") for _ in range(LIMIT + 1)] == [401] * LIMIT + [429]
    assert answer("192.0.2.8") == 401
    assert len(service.audit("token_rejected")) == LIMIT + 1


@pytest.mark.parametrize("step", STEPS)
def test_with_limits_switched_off_nothing_is_counted(behind_a_proxy: Any, step: str) -> None:
    service = behind_a_proxy(
        danger_rate_limits_off=True, rate_limit_address=1, rate_limit_email=1, rate_limit_global=1
    )
    answers = [send(service, step, "jane", "192.0.2.7") for _ in range(LIMIT)]
    assert statuses(answers) == [True] * LIMIT
    assert not any("ratelimit" in answer.headers for answer in answers)
