"""Whose pages may call the API: nobody's by default, the listed ones' if there is a list."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from core.errors import ConfigurationError
from core.settings import Settings
from tests.features.http.problems import PROBLEM_JSON, problem
from tests.support.cases import crossed
from tests.support.service import JANE, Service

FRIEND, STRANGER = "https://app.example.com", "https://evil.example"
# What a reflecting or careless service would let through.
FOREIGN = (
    STRANGER,
    "null",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com.evil.example",
    "https://evil-app.example.com",
    "https://sub.app.example.com",
    "HTTPS://APP.EXAMPLE.COM",
    "https://app.example.com/",
    "http://localhost:8000",
    "*",
    "",
)
ENDPOINTS = ("/users", "/login", "/register/begin", "/login/complete", "/users/x", "/nowhere")


@pytest.fixture(scope="module")
def open_to_a_friend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("cors"), cors_origins=(FRIEND,)) as service:
        yield service


def preflight(service: Service, path: str, origin: str, **more: str) -> httpx.Response:
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    return service.request("OPTIONS", path, headers={"Origin": origin, **asked, **more})


def allowed(answer: httpx.Response) -> dict[str, str]:
    """Every CORS header that grants something."""
    granting = ("access-control-allow-origin", "access-control-allow-credentials")
    return {name: value for name, value in answer.headers.items() if name in granting}


@pytest.mark.parametrize(("path", "origin"), crossed(ENDPOINTS, [FRIEND, *FOREIGN]))
def test_by_default_no_origin_is_allowed(shared: Service, path: str, origin: str) -> None:
    """B9: no CORS header at all, neither on a preflight nor on the request itself."""
    for answer in (
        preflight(shared, path, origin),
        shared.post(path, {}, headers={"Origin": origin}),
    ):
        assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize("path", ENDPOINTS[:4])
def test_by_default_a_preflight_is_a_method_that_is_not_there(shared: Service, path: str) -> None:
    """B9 B11: 405 with Allow, in the one shape."""
    answer = preflight(shared, path, FRIEND)
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_listed_origin_is_allowed_by_name(open_to_a_friend: Service, path: str) -> None:
    """B9: its own name, never `*`, never credentials; the redirects are no exception."""
    answer = preflight(open_to_a_friend, path, FRIEND)
    assert answer.status_code in (200, 204)
    assert allowed(answer) == {"access-control-allow-origin": FRIEND}
    assert "Origin" in answer.headers["vary"]
    assert "location" not in answer.headers


@pytest.mark.parametrize(("path", "origin"), crossed(ENDPOINTS, FOREIGN))
def test_a_foreign_origin_is_not_allowed(open_to_a_friend: Service, path: str, origin: str) -> None:
    """B9: nothing reflected; `null` is nobody."""
    assert allowed(preflight(open_to_a_friend, path, origin)) == {}
    answer = open_to_a_friend.post(path, {}, headers={"Origin": origin})
    assert allowed(answer) == {}
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("origin", [STRANGER, "null"])
def test_a_refused_preflight_has_the_shape_of_every_refusal(
    open_to_a_friend: Service, origin: str
) -> None:
    """B9: an answer of 4xx is problem+json, or it is no 4xx."""
    answer = preflight(open_to_a_friend, "/login/begin", origin)
    assert answer.status_code == 204 or answer.headers["content-type"] == PROBLEM_JSON


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_a_preflight_grants_no_method_that_is_not_served(
    open_to_a_friend: Service, method: str
) -> None:
    """B9: GET and POST, nothing else."""
    asked = {"Access-Control-Request-Method": method}
    answer = preflight(open_to_a_friend, "/login/begin", FRIEND, **asked)
    assert method not in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize("path", ["/login/begin", "/users", "/nowhere", "/users/x"])
def test_a_listed_origin_may_read_the_answers(open_to_a_friend: Service, path: str) -> None:
    """B9: refusals and redirects included, or a front end could not tell what went wrong."""
    answer = open_to_a_friend.post(path, JANE, headers={"Origin": FRIEND})
    assert allowed(answer) == {"access-control-allow-origin": FRIEND}
    assert "X-Request-ID" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    "origins", ["*", "null", "https://*.example.com", "http://app.example.com", "app.example.com"]
)
def test_a_list_that_is_too_wide_does_not_start(origins: str) -> None:
    """B9: an allow-list has names on it, and they are https."""
    with pytest.raises(ConfigurationError, match="CORS_ORIGINS"):
        Settings.from_environment({"CORS_ORIGINS": origins})
