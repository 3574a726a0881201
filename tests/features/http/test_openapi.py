"""The OpenAPI document: what client generators, Swagger UI and gateways are told."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI

from routes import login, registration, users
from tests.features.http.problems import PROBLEM_JSON
from tests.support.service import Service

# Endpoint, the function behind it, its tag, and the statuses of its successes.
OPERATIONS = {
    ("post", "/users"): ("create_user", "Registration", "307"),
    ("post", "/register/begin"): ("register_begin", "Registration", "200"),
    ("post", "/register/complete"): ("register_complete", "Registration", "201"),
    ("post", "/login"): ("login", "Login", "307"),
    ("post", "/login/begin"): ("login_begin", "Login", "200"),
    ("post", "/login/complete"): ("login_complete", "Login", "200"),
    ("get", "/users/{user_id}"): ("read_user", "Protected Endpoints", "200"),
}
WITH_BODY = ["/register/begin", "/register/complete", "/login/begin", "/login/complete"]
REFUSALS = {
    "/register/begin": {"409", "413", "422", "429", "503"},
    "/register/complete": {"400", "413", "422", "429", "503"},
    "/login/begin": {"401", "413", "422", "429", "503"},
    "/login/complete": {"401", "413", "422", "429", "503"},
    "/users/{user_id}": {"401", "403", "404", "429", "503"},
}


@pytest.fixture(scope="module")
def document(shared: Service) -> dict[str, Any]:
    found: dict[str, Any] = shared.get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    paths = document["paths"].items()
    return {(method, path): entry for path, item in paths for method, entry in item.items()}


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, where only its name is given."""
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def body_schema(document: dict[str, Any], path: str) -> dict[str, Any]:
    content = document["paths"][path]["post"]["requestBody"]["content"]
    return resolved(document, content["application/json"]["schema"])


def test_the_document_has_the_endpoints_of_the_contract_and_no_others(
    document: dict[str, Any],
) -> None:
    """Paths and methods."""
    assert operations(document).keys() == OPERATIONS.keys()


def test_every_operation_is_named_after_its_function(document: dict[str, Any]) -> None:
    """A generated client has the names of the code."""
    modules = (login, registration, users)
    functions = {route.name for module in modules for route in module.router.install(FastAPI())}
    named = {entry["operationId"] for entry in operations(document).values()}
    assert named == functions == {name for name, _, _ in OPERATIONS.values()}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda key: key[1])
def test_every_operation_has_the_tag_and_the_success_of_the_contract(
    document: dict[str, Any], operation: tuple[str, str]
) -> None:
    """Tags group Swagger UI as the contract says."""
    name, tag, success = OPERATIONS[operation]
    entry = operations(document)[operation]
    assert entry["operationId"] == name
    assert entry["tags"] == [tag]
    assert [status for status in entry["responses"] if status < "400"] == [success]
    assert entry["description"]


def test_the_bearer_token_protects_the_profiles_and_nothing_else(document: dict[str, Any]) -> None:
    """Swagger UI shows an Authorize button, and sends the token where it belongs."""
    schemes = document["components"]["securitySchemes"]
    (name,) = schemes
    assert (schemes[name]["type"], schemes[name]["scheme"]) == ("http", "bearer")
    assert schemes[name]["bearerFormat"] == "JWT"
    protected = {
        key: entry["security"] for key, entry in operations(document).items() if "security" in entry
    }
    assert protected == {("get", "/users/{user_id}"): [{name: []}]}


@pytest.mark.parametrize("path", WITH_BODY)
def test_every_body_has_an_example_that_fits_its_schema(
    document: dict[str, Any], path: str
) -> None:
    """What Swagger UI fills in is a whole body, and a valid one."""
    schema = body_schema(document, path)
    assert "example" in schema or "examples" in schema
    example = schema["example"] if "example" in schema else schema["examples"][0]
    validator = jsonschema_rs.validator_for({**document, **schema})
    assert validator.is_valid(example)


@pytest.mark.parametrize("path", WITH_BODY)
def test_every_body_forbids_what_it_does_not_name(document: dict[str, Any], path: str) -> None:
    """B3: a generated client knows that, too."""
    assert body_schema(document, path)["additionalProperties"] is False


@pytest.mark.parametrize("path", REFUSALS)
def test_every_refusal_of_an_endpoint_is_in_the_document(
    document: dict[str, Any], path: str
) -> None:
    """A client's author sees each status that can come."""
    (entry,) = document["paths"][path].values()
    assert REFUSALS[path] <= entry["responses"].keys()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda key: key[1])
def test_every_answer_with_a_body_has_a_schema(
    document: dict[str, Any], operation: tuple[str, str]
) -> None:
    """A refusal is problem+json in the document as it is on the wire."""
    for status, answer in operations(document)[operation]["responses"].items():
        if status == "307":
            continue
        kind = "application/json" if status < "300" else PROBLEM_JSON
        assert list(answer["content"]) == [kind], status
        assert resolved(document, answer["content"][kind]["schema"])["properties"]


def test_no_schema_of_the_document_is_fastapi_own_error_shape(document: dict[str, Any]) -> None:
    """No endpoint ever answers in it."""
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_no_schema_has_a_place_for_credential_material(document: dict[str, Any]) -> None:
    """The user object has the members of the contract, and none of a passkey."""
    members = set(document["components"]["schemas"]["UserProfile"]["properties"])
    promised = {"id", "first_name", "last_name", "email", "date_of_birth", "job_title", "role"}
    assert members == promised | {"created_at", "email_typed"}
