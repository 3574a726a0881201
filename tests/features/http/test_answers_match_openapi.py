"""What really comes over the wire is what the OpenAPI document says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import jsonschema_rs
import pytest

from devtools.authenticator import SoftAuthenticator
from tests.conftest import StartService
from tests.support.service import JANE, Service, person

Flow = Callable[[Service, SoftAuthenticator], httpx.Response]


def read(service: Service, device: SoftAuthenticator, user_id: str | None = None) -> httpx.Response:
    user = service.register(device)
    return service.get(f"/users/{user_id or user['id']}", service.login(device))


def read_as_admin(service: Service, device: SoftAuthenticator) -> httpx.Response:
    service.register(device)
    service.rows("UPDATE users SET role = 'admin'")
    return service.get("/users/3f0c3c9e-6a2e-4c3e-9d84-0a4c4dcbb3f2", service.login(device))


def begin_again(service: Service, device: SoftAuthenticator) -> httpx.Response:
    service.register(device)
    return service.post("/register/begin", JANE)


def complete(service: Service, device: SoftAuthenticator) -> httpx.Response:
    credential = device.create(service.begin_registration())
    return service.complete_registration(JANE["email"], credential)


def log_in(service: Service, device: SoftAuthenticator) -> httpx.Response:
    service.register(device)
    return service.try_login(device)


def log_in_too_often(service: Service, device: SoftAuthenticator) -> httpx.Response:
    for _ in range(service.settings.rate_limit_email):
        service.post("/login/begin", {"email": JANE["email"]})
    return service.post("/login/begin", {"email": JANE["email"]})


def begin_without_a_trail(service: Service, device: SoftAuthenticator) -> httpx.Response:
    service.rows("DROP TABLE audit_logs")
    return service.post("/login/begin", {})


FLOWS: dict[str, tuple[str, int, Flow]] = {
    "begin a registration": (
        "/register/begin",
        200,
        lambda service, device: service.post("/register/begin", JANE),
    ),
    "begin it twice": ("/register/begin", 409, begin_again),
    "begin it with nothing": (
        "/register/begin",
        422,
        lambda service, device: service.post("/register/begin", {}),
    ),
    "complete a registration": ("/register/complete", 201, complete),
    "complete none": (
        "/register/complete",
        400,
        lambda service, device: service.complete_registration(JANE["email"], {}),
    ),
    "begin a login": (
        "/login/begin",
        200,
        lambda service, device: service.post("/login/begin", {"email": JANE["email"]}),
    ),
    "begin with broken JSON": (
        "/login/begin",
        422,
        lambda service, device: service.request(
            "POST", "/login/begin", content=b"{", headers={"Content-Type": "application/json"}
        ),
    ),
    "begin with too much": (
        "/login/begin",
        413,
        lambda service, device: service.request("POST", "/login/begin", content=b" " * 40_000),
    ),
    "begin too often": ("/login/begin", 429, log_in_too_often),
    "begin without a trail": ("/login/begin", 503, begin_without_a_trail),
    "log in": ("/login/complete", 200, log_in),
    "log in with nothing": (
        "/login/complete",
        401,
        lambda service, device: service.complete_login(None, {}),
    ),
    "read a profile": ("/users/{user_id}", 200, read),
    "read without a token": (
        "/users/{user_id}",
        401,
        lambda service, device: service.get("/users/x"),
    ),
    "read someone else's": (
        "/users/{user_id}",
        403,
        lambda service, device: read(service, device, "someone-else"),
    ),
    "read nobody's": ("/users/{user_id}", 404, read_as_admin),
}


def validate(document: dict[str, Any], path: str, answer: httpx.Response) -> None:
    """The body fits the schema that the document gives for path, status and content type."""
    (entry,) = document["paths"][path].values()
    content = entry["responses"][str(answer.status_code)]["content"]
    schema = content[answer.headers["content-type"]]["schema"]
    whole = {"components": document["components"], **schema}
    jsonschema_rs.validator_for(whole, validate_formats=True).validate(answer.json())


@pytest.mark.parametrize(("path", "status", "flow"), FLOWS.values(), ids=FLOWS)
def test_an_answer_fits_its_schema(
    start_service: StartService, device: SoftAuthenticator, path: str, status: int, flow: Flow
) -> None:
    """Body and content type, for successes and refusals."""
    service = start_service(rate_limit_email=5)
    document = service.get("/openapi.json").json()
    answer = flow(service, device)
    assert answer.status_code == status, answer.text
    validate(document, path, answer)


def test_a_profile_has_exactly_the_members_of_the_document(
    service: Service, device: SoftAuthenticator
) -> None:
    """Nothing more than is promised: no credential, no secret, no internal column."""
    members = service.get("/openapi.json").json()["components"]["schemas"]["UserProfile"]
    user = service.register(device, person("jane"))
    assert user.keys() == members["properties"].keys()
