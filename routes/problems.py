"""Every error leaves as `application/problem+json` (RFC 9457), also in the OpenAPI document.

Each body has `type`, `title`, `status`, `detail`, `code` and `request_id`. A body never repeats
what the client sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from core.errors import ApiError, ServiceUnavailable, Unavailable
from schemas import Problem, ValidationProblem

PROBLEM_JSON = "application/problem+json"
CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    413: "body_too_large",
}
# Errors with a response of their own. Any other exception becomes `internal_error`.
HANDLED = (ApiError, Unavailable, RequestValidationError, HTTPException)
# Every endpoint may answer so: its body is too large, or the database does not answer.
ALWAYS = (413, ServiceUnavailable.status)
# FastAPI adds these two schemas for its own validation errors, which no client ever sees.
FASTAPI_SCHEMAS = ("HTTPValidationError", "ValidationError")


def problem(
    status: int,
    code: str,
    detail: str,
    request_id: str,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> JSONResponse:
    """An RFC 9457 response. `members` are extension members, such as `errors`."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
        **members,
    }
    return JSONResponse(body, status, headers, media_type=PROBLEM_JSON)


def internal_error(request_id: str) -> JSONResponse:
    """The response to an unforeseen exception. The log has its traceback under this id."""
    return problem(500, "internal_error", "Internal server error", request_id)


def problem_of(error: Exception, request_id: str) -> JSONResponse:
    """The response to an error that is HANDLED."""
    if isinstance(error, RequestValidationError):
        return _validation_problem(error, request_id)
    if isinstance(error, HTTPException):
        code = CODES.get(error.status_code, "http_error")
        return problem(error.status_code, code, str(error.detail), request_id, error.headers)
    known = error if isinstance(error, ApiError) else ServiceUnavailable()
    return problem(known.status, known.code, known.detail, request_id, known.headers)


def install_problem_handlers(api: FastAPI) -> None:
    """Let FastAPI answer every HANDLED error as a problem."""

    async def answer(request: Request, error: Exception) -> JSONResponse:
        return problem_of(error, request.scope["state"]["request_id"])

    for kind in HANDLED:
        api.add_exception_handler(kind, answer)


def _validation_problem(error: RequestValidationError, request_id: str) -> JSONResponse:
    """Says which fields are wrong and why; never what they held."""
    errors = [_field_error(item) for item in error.errors()]
    detail = "The request body is not valid"
    return problem(422, "validation_failed", detail, request_id, errors=errors)


# The messages of these kinds are constants of schemas.py. Pydantic's own may quote the input.
_OWN_KINDS = ("email", "text", "blank", "too_long", "characters", "date", "object")
_MESSAGES = {
    "missing": "This field is required",
    "extra_forbidden": "There is a field that this request does not have",
    "json_invalid": "The body is not JSON as this service reads it",
}


def _field_error(item: dict[str, Any]) -> dict[str, str]:
    kind, location = item["type"], item["loc"][1:]
    message = item["msg"] if kind in _OWN_KINDS else _MESSAGES.get(kind, "This value is not valid")
    if kind == "json_invalid":
        message = item["ctx"]["error"]
    if kind in ("extra_forbidden", "json_invalid"):
        # The client chose the name of an unknown field: the pointer names its parent instead.
        location = location[:-1]
    return {"pointer": _pointer(location), "code": kind, "message": message}


def _pointer(location: Sequence[str | int]) -> str:
    """A JSON Pointer (RFC 6901) to a field of the body."""
    return "".join(f"/{part}" for part in location)


def error_responses(
    errors: Iterable[type[ApiError]], *, has_body: bool
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an endpoint for FastAPI: `errors`, and those every endpoint may give.

    A redirect, which has no errors of its own, shows none.
    """
    statuses = {error.status for error in errors} | ({422} if has_body else set())
    if not statuses:
        return {}
    shape = {"model": Problem, "description": "Refused"}
    found: dict[int | str, dict[str, Any]] = dict.fromkeys((*sorted(statuses), *ALWAYS), shape)
    if has_body:
        found[422] = {"model": ValidationProblem, "description": "The body cannot be read"}
    return found


class DocumentedApi(FastAPI):
    """FastAPI, with every error of its OpenAPI document under `application/problem+json`.

    FastAPI writes an error's schema under the media type of the endpoint's success.
    """

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        document = super().openapi()
        for unused in FASTAPI_SCHEMAS:
            document["components"]["schemas"].pop(unused, None)
        for path in document["paths"].values():
            for operation in path.values():
                _set_media_type(operation["responses"])
        return document


def _set_media_type(responses: dict[str, Any]) -> None:
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    for status, response in responses.items():
        if status >= "400" and "application/json" in response.get("content", {}):
            response["content"] = {PROBLEM_JSON: response["content"]["application/json"]}
