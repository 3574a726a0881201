"""Bodies the ceremonies cannot read: 422, nothing echoed, nothing decided, nothing recorded."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.authenticator import SoftAuthenticator
from tests.features.expect import assert_nothing_stored, events_of, public
from tests.support.service import JANE, Service

FIELDS = ("first_name", "last_name", "email", "date_of_birth", "job_title")
INPUT = "s3cret-input"
COMPLETE = {
    "/register/complete": {"email": JANE["email"], "credential": {}},
    "/login/complete": {"email": JANE["email"], "assertion": {}},
}


def assert_unreadable(service: Service, answer: Any) -> list[dict[str, str]]:
    """422 in its one shape, and no trace but the answer; its `errors`."""
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    body = public(answer)
    errors: list[dict[str, str]] = body.pop("errors")
    # The phrase of 422 is not the same in every version of Python.
    assert body.pop("title").startswith("Unprocessable ")
    assert body == {
        "type": "about:blank",
        "status": 422,
        "detail": "The request body is not valid",
        "code": "validation_failed",
    }
    assert all(sorted(error) == ["code", "message", "pointer"] for error in errors)
    assert INPUT not in answer.text
    assert events_of(service, answer) == []
    assert_nothing_stored(service)
    return errors


@pytest.mark.parametrize("field", FIELDS)
def test_a_missing_field_is_named(service: Service, field: str) -> None:
    form = {name: value for name, value in JANE.items() if name != field}
    errors = assert_unreadable(service, service.post("/register/begin", form))
    assert errors == [
        {"pointer": f"/{field}", "code": "missing", "message": "This field is required"}
    ]


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_that_is_blank_or_no_text_is_refused(service: Service, field: str) -> None:
    values: list[Any] = ["", "   ", "\t\n", None, 7, [INPUT], {INPUT: 1}]
    for value in values:
        answer = service.post("/register/begin", {**JANE, field: value})
        (error,) = assert_unreadable(service, answer)
        assert error["pointer"] == f"/{field}"


def test_an_impossible_date_is_refused(service: Service) -> None:
    for day in ("1990-02-30", "1990-13-01", "1990-00-10", "15.01.1990", "yesterday", INPUT):
        answer = service.post("/register/begin", {**JANE, "date_of_birth": day})
        (error,) = assert_unreadable(service, answer)
        assert (error["pointer"], error["code"]) == ("/date_of_birth", "date")


@pytest.mark.parametrize("path", ["/register/begin", "/login/begin"])
def test_a_bad_email_is_refused(service: Service, path: str) -> None:
    for email in ("jane", "@example.com", "jane@", "jane@@example.com", "jane @x.org", INPUT):
        body = {**JANE, "email": email} if path == "/register/begin" else {"email": email}
        (error,) = assert_unreadable(service, service.post(path, body))
        assert (error["pointer"], error["code"]) == ("/email", "email")


@pytest.mark.parametrize("path", COMPLETE)
def test_a_bad_email_is_refused_at_the_end_too(service: Service, path: str) -> None:
    answer = service.post(path, {**COMPLETE[path], "email": INPUT})
    (error,) = assert_unreadable(service, answer)
    assert (error["pointer"], error["code"]) == ("/email", "email")


@pytest.mark.parametrize("path", COMPLETE)
def test_a_credential_that_is_no_object_is_refused(service: Service, path: str) -> None:
    name = list(COMPLETE[path])[1]
    values: list[Any] = [None, INPUT, 7, [], True]
    for value in values:
        answer = service.post(path, {**COMPLETE[path], name: value})
        (error,) = assert_unreadable(service, answer)
        assert (error["pointer"], error["code"]) == (f"/{name}", "object")


@pytest.mark.parametrize("path", ["/register/begin", "/login/begin", *COMPLETE])
def test_a_body_that_is_no_json_object_is_refused(service: Service, path: str) -> None:
    headers = {"Content-Type": "application/json"}
    for raw in (b"", b"{", b"[]", f'"{INPUT}"'.encode(), b"\xff", b'{"email":1,"email":2}'):
        answer = service.request("POST", path, content=raw, headers=headers)
        assert_unreadable(service, answer)


@pytest.mark.parametrize("path", ["/register/begin", "/login/begin", *COMPLETE])
def test_a_member_nobody_asked_for_is_refused(service: Service, path: str) -> None:
    bodies = {"/register/begin": JANE, "/login/begin": {}, **COMPLETE}
    answer = service.post(path, {**bodies[path], INPUT: "admin"})
    (error,) = assert_unreadable(service, answer)
    assert (error["pointer"], error["code"]) == ("", "extra_forbidden")


def test_an_email_is_required_to_complete_a_registration(
    service: Service, device: SoftAuthenticator
) -> None:
    credential = device.create(service.begin_registration())
    answer = service.post("/register/complete", {"credential": credential})
    (error,) = assert_unreadable(service, answer)
    assert (error["pointer"], error["code"]) == ("/email", "missing")
