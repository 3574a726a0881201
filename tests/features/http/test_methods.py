"""Methods that a path does not serve."""

from __future__ import annotations

import pytest

from tests.features.http.problems import problem, refused_head
from tests.support.service import JANE, Service

# What each path serves; the API answers to nothing else.
SERVED = {
    "/": "GET",
    "/docs": "GET",
    "/users": "POST",
    "/login": "POST",
    "/register/begin": "POST",
    "/register/complete": "POST",
    "/login/begin": "POST",
    "/login/complete": "POST",
    "/users/3f0c3c9e-6a2e-4c3e-9d84-0a4c4dcbb3f2": "GET",
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW")
REFUSED = [(path, method) for path in SERVED for method in METHODS if method != SERVED[path]]


@pytest.mark.parametrize("path", SERVED)
def test_a_method_that_is_not_served_is_405(shared: Service, path: str) -> None:
    """B11: with Allow, in the one shape."""
    for method in METHODS:
        if method == SERVED[path]:
            continue
        answer = shared.request(method, path, json=JANE)
        if method == "HEAD":
            refused_head(answer, 405)
        else:
            problem(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == SERVED[path], method


def test_a_method_that_is_not_served_does_nothing(service: Service) -> None:
    """B11: no ceremony, no row, no count towards a rate limit."""
    for path, method in REFUSED:
        service.request(method, path, json=JANE)
    assert service.audit() == []
    assert service.rows("SELECT * FROM users") == []
    assert service.waiting() == 0


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_a_header_changes_no_method(shared: Service, header: str) -> None:
    """B11: POST stays POST."""
    answer = shared.post("/users/x", {}, headers={header: "GET"})
    problem(answer, 405, "method_not_allowed")


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PUT", "POST", "GET"])
def test_a_path_that_does_not_exist_has_no_methods(shared: Service, method: str) -> None:
    """B11: 404 comes first."""
    problem(shared.request(method, "/nowhere"), 404, "not_found")
