"""Bodies that are not quite JSON, or not quite what was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.features.http.problems import JSON, invalid, problem
from tests.support.cases import crossed
from tests.support.service import JANE, Service

PATHS = ("/register/begin", "/register/complete", "/login/begin", "/login/complete")
CREDENTIAL: dict[str, Any] = {"id": "", "rawId": "", "type": "public-key", "response": {}}
VALID: dict[str, dict[str, Any]] = {
    "/register/begin": JANE,
    "/register/complete": {"email": JANE["email"], "credential": CREDENTIAL},
    "/login/begin": {"email": JANE["email"]},
    "/login/complete": {"email": JANE["email"], "assertion": CREDENTIAL},
}
NOT_JSON = {
    "NaN": b'{"email": NaN}',
    "Infinity": b'{"email": Infinity}',
    "minus Infinity": b'{"email": -Infinity}',
    "a number past every float": b'{"email": 1e999}',
    "an integer of 5000 digits": b'{"email": ' + b"7" * 5000 + b"}",
    "an integer of 20 digits": b'{"email": 10000000000000000000}',
    "a lone high surrogate": b'{"email": "\\ud800"}',
    "a lone low surrogate": b'{"email": "\\udc00@example.com"}',
    "a lone surrogate in a name": b'{"\\ud800": 1}',
    "a NUL as an escape": b'{"email": "jane\\u0000@example.com"}',
    "a NUL as it is": b'{"email": "jane\x00@example.com"}',
    "a NUL in a name": b'{"e\\u0000mail": null}',
    "lists 16000 deep": b"[" * 16000 + b"]" * 16000,
    "lists 17 deep": b'{"email": ' + b"[" * 16 + b"]" * 16 + b"}",
    "objects 3000 deep": b'{"email":' * 3000 + b"1" + b"}" * 3000,
    "lists without an end": b"[" * 30000,
    "a member twice": b'{"email": null, "email": null}',
    "a member twice, once escaped": b'{"email": null, "\\u0065mail": null}',
    "a member twice, deep inside": b'{"assertion": {"id": 1, "id": 2}}',
    "UTF-16": '{"email": null}'.encode("utf-16"),
    "UTF-16 without a mark": '{"email": null}'.encode("utf-16-le"),
    "UTF-32": '{"email": null}'.encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "latin-1": '{"email": "jané@example.com"}'.encode("latin-1"),
    "an overlong slash": b'{"email": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"email": "\xed\xa0\x80"}',
    "two values": b"{}{}",
    "something after the end": b"{} x",
    "a trailing comma": b'{"email": null,}',
    "a comment": b"{} // nothing",
    "single quotes": b"{'email': null}",
    "a raw line feed in a string": b'{"email": "a\nb"}',
    "half a value": b'{"email": "jane',
    "white space alone": b"   ",
}


@pytest.mark.parametrize(("path", "name"), crossed(PATHS, NOT_JSON))
def test_what_is_not_strict_json_is_refused(shared: Service, path: str, name: str) -> None:
    """B2: 422, never a 500, and the body is not quoted."""
    answer = shared.request("POST", path, content=NOT_JSON[name], headers=JSON)
    (error,) = invalid(answer)
    assert error["code"] == "json_invalid"
    assert error["pointer"] == ""


@pytest.mark.parametrize(
    ("path", "body"), crossed(PATHS, ["", "null", "[]", "[{}]", "1", "true", '"{}"'])
)
def test_json_that_is_no_object_is_refused(shared: Service, path: str, body: str) -> None:
    """B2: a body is an object, or 422."""
    invalid(shared.request("POST", path, content=body.encode(), headers=JSON))


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
@pytest.mark.parametrize("path", PATHS)
def test_json_under_another_name_is_refused(shared: Service, path: str, kind: str) -> None:
    """B2 B9: what a foreign form can send without a preflight is not read as JSON."""
    body = json.dumps(VALID[path]).encode()
    invalid(shared.request("POST", path, content=body, headers={"Content-Type": kind}))


def test_nesting_up_to_the_limit_is_a_failed_ceremony_and_not_a_bad_body(shared: Service) -> None:
    """B2: the limit does not cut into what a credential may hold."""
    deep: Any = "x"
    for _ in range(14):
        deep = [deep]
    problem(shared.post("/login/complete", {"assertion": {"id": deep}}), 401, "invalid_credentials")


@pytest.mark.parametrize("path", ["/users/%00", "/users/a%00b", "/%00", "/static/%00", "/login%00"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_nul_in_the_path_is_no_server_error(shared: Service, method: str, path: str) -> None:
    """B2: 4xx."""
    assert shared.request(method, path).status_code in (401, 404, 405)


@pytest.mark.parametrize(
    ("path", "extra"), crossed(PATHS, ["role", "id", "disabled", "email_typed", "__proto__", ""])
)
def test_a_member_that_was_not_asked_for_is_refused(shared: Service, path: str, extra: str) -> None:
    """B3: nobody makes themselves an admin with one more member."""
    (error,) = invalid(shared.post(path, {**VALID[path], extra: "admin"}))
    assert (error["pointer"], error["code"]) == ("", "extra_forbidden")


def test_a_refused_extra_member_leaves_no_ceremony_and_no_row(service: Service) -> None:
    """B3: nothing is begun for a body that is refused."""
    invalid(service.post("/register/begin", {**JANE, "role": "admin"}))
    assert service.audit() == []
    assert service.rows("SELECT * FROM users") == []


NO_TEXT: list[Any] = [None, 1, 1.5, True, [], {}, ["Jane"], "", "  ", "\u3000"]


@pytest.mark.parametrize("field", JANE)
def test_a_field_that_is_blank_or_no_text_is_refused(shared: Service, field: str) -> None:
    """B2: 422 with the field's pointer."""
    for value in NO_TEXT:
        (error,) = invalid(shared.post("/register/begin", {**JANE, field: value}))
        assert error["pointer"] == f"/{field}", value


@pytest.mark.parametrize("path", ["/register/begin", "/register/complete", "/login/complete"])
def test_every_missing_field_is_named(shared: Service, path: str) -> None:
    """B2: 422 names what is required, all of it."""
    required = set(VALID[path]) - ({"email"} if path == "/login/complete" else set())
    errors = invalid(shared.post(path, {}))
    assert {(error["pointer"], error["code"]) for error in errors} == {
        (f"/{name}", "missing") for name in required
    }
