"""The two redirects, and all the places where there is none."""

from __future__ import annotations

import pytest

from tests.features.http.problems import problem
from tests.support.service import JANE, Service

EVIL = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
PATHS = (
    "/users/",
    "/login/",
    "/register/begin/",
    "/register/complete/",
    "/login/begin/",
    "/login/complete/",
    "/docs/",
    "/static",
    "/static/css",
    "/static/css/",
    "/users/3f0c3c9e-6a2e-4c3e-9d84-0a4c4dcbb3f2/",
    "/openapi.json/",
    "/%2F%2Fevil.example",
    "/\\evil.example",
    "/nowhere/",
)


@pytest.mark.parametrize(
    ("path", "location"), [("/users", "/register/begin"), ("/login", "/login/begin")]
)
@pytest.mark.parametrize("host", ["localhost:8000", "evil.example", "evil.example:1/@"])
def test_the_two_redirects_are_relative(
    shared: Service, path: str, location: str, host: str
) -> None:
    """B8: 307 to a path of this host, whatever host the request claims."""
    answer = shared.request("POST", path, json=JANE, headers={**EVIL, "Host": host})
    assert answer.status_code == 307
    assert answer.headers.get_list("location") == [location]
    assert "evil" not in str(answer.headers)


@pytest.mark.parametrize(
    ("path", "body", "event"),
    [("/users", JANE, "registration_begin"), ("/login", {"email": JANE["email"]}, "login_begin")],
    ids=["users", "login"],
)
def test_a_client_that_follows_a_redirect_keeps_method_and_body(
    service: Service, path: str, body: dict[str, str], event: str
) -> None:
    """B8: 307, so the old paths still work with one `POST`."""
    answer = service.request("POST", path, json=body, follow_redirects=True)
    assert answer.status_code == 200
    assert answer.request.method == "POST"
    assert "challenge" in answer.json()["publicKey"]
    assert service.last_audit(event)["user_email"] == JANE["email"]


@pytest.mark.parametrize("path", PATHS)
def test_nothing_else_redirects(shared: Service, path: str) -> None:
    """B8: a trailing slash is another path, and `Host` leads nowhere."""
    for method in ("GET", "POST", "HEAD", "PUT"):
        answer = shared.request(method, path, headers=EVIL)
        assert answer.status_code in (401, 404, 405), method
        assert "location" not in answer.headers
        assert "evil" not in str(answer.headers) + answer.text


@pytest.mark.parametrize("path", ["/users/", "/login/begin/", "/nowhere"])
def test_a_path_that_does_not_exist_is_a_problem(shared: Service, path: str) -> None:
    """B8: 404 in the one shape."""
    problem(shared.post(path, {}, headers=EVIL), 404, "not_found")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../main.py",
        "/static/%2e%2e/main.py",
        "/static/..%2fmain.py",
        "/static/%2e%2e%2f%2e%2e%2fetc/passwd",
        "/static//etc/passwd",
        "/static/..\\main.py",
        "/static/css",
        "/static/.",
    ],
)
def test_the_static_folder_has_a_bottom(shared: Service, path: str) -> None:
    """B8: nothing outside of it, and no list of what is in it."""
    problem(shared.get(path), 404, "not_found")
