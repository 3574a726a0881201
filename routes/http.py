"""What every route needs of HTTP: strict bodies, the caller, and refusals in their one shape."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any, cast

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from audit import Caller
from core import strict_json
from core.boundary import problem_response, too_large
from core.caller_address import TrustedProxies
from core.clock import Clock
from core.errors import PROBLEM_JSON, Refusal, Unavailable, problem, unavailable
from schemas import Problem, ValidationProblem

BODY_TIMEOUT_SECONDS = 10
MAX_USER_AGENT = 512
CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 408: "timeout"}
PROBLEM = {"model": Problem, "description": "Refused"}


class StrictRequest(Request):
    """A request whose JSON is strict, and whose body must arrive in time."""

    async def body(self) -> bytes:
        try:
            async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
                return await super().body()
        except TimeoutError:
            # What still comes must not be read as the next request.
            headers = {"Connection": "close"}
            raise HTTPException(408, "The body did not arrive in time", headers) from None

    async def json(self) -> Any:
        return strict_json.loads(await self.body())


class StrictRoute(APIRoute):
    """A route that reads its body through `StrictRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return handle_strictly


async def caller(request: Request) -> Caller:
    """Who sends this request, as the audit trail keeps it.

    Async, or FastAPI would hand it to a thread for every request.
    """
    state = request.app.state
    proxies, clock = cast(TrustedProxies, state.proxies), cast(Clock, state.clock)
    headers = request.headers
    return Caller(
        ip_address=proxies.client_of(request.state.peer, headers.getlist("x-forwarded-for")),
        user_agent=_printable(headers.get("user-agent", "")),
        request_id=request.state.request_id,
        at=clock.now(),
    )


CallerOf = Annotated[Caller, Depends(caller)]


def _printable(text: str) -> str:
    """Safe to show in a terminal: control characters become visible escapes."""
    if text.isprintable():
        return text[:MAX_USER_AGENT]
    escaped = (
        char if char.isprintable() else char.encode("unicode_escape").decode()
        for char in text[:MAX_USER_AGENT]
    )
    return "".join(escaped)[:MAX_USER_AGENT]


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of an endpoint, for its OpenAPI entry."""
    shapes: dict[int | str, dict[str, Any]] = dict.fromkeys((*statuses, 413, 503), PROBLEM)
    if 422 in statuses:
        shapes[422] = {"model": ValidationProblem, "description": "The body cannot be read"}
    return shapes


def as_problems(document: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI document in which every refusal is application/problem+json.

    FastAPI writes a response's model under the media type of the endpoint's own answer.
    """
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)
    entries = [entry for path in document["paths"].values() for entry in path.values()]
    for entry in entries:
        if "HTTPValidationError" in str(entry["responses"].get("422")):
            del entry["responses"]["422"]
        for status, answer in entry["responses"].items():
            if status >= "400" and "application/json" in answer.get("content", {}):
                answer["content"] = {PROBLEM_JSON: answer["content"]["application/json"]}
    return document


def install_error_handlers(app: FastAPI) -> None:
    """Every error, whoever raises it, leaves as application/problem+json."""
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(Unavailable, _unavailable)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _refusal(request: Request, error: Exception) -> Response:
    return _answer(request, cast(Refusal, error))


async def _unavailable(request: Request, _error: Exception) -> Response:
    return _answer(request, unavailable())


def _answer(request: Request, refusal: Refusal) -> Response:
    body = problem(refusal.status, refusal.code, refusal.detail, request.state.request_id)
    return problem_response(body, refusal.headers)


async def _http(request: Request, error: Exception) -> Response:
    """Starlette's own errors: no such path, no such method, body over the cap or too slow."""
    failure = cast(HTTPException, error)
    if failure.status_code == 413:
        return too_large(request.state.request_id)
    code = CODES.get(failure.status_code, "http_error")
    body = problem(failure.status_code, code, str(failure.detail), request.state.request_id)
    return problem_response(body, dict(failure.headers or {}))


async def _invalid(request: Request, error: Exception) -> Response:
    """What is wrong with a body, and where; never what it said."""
    failure = cast(RequestValidationError, error)
    body = problem(
        422,
        "validation_failed",
        "The request body is not valid",
        request.state.request_id,
        errors=[_field_error(item) for item in failure.errors()],
    )
    return problem_response(body)


# Our own messages are constants; pydantic's may quote the input.
_OWN = ("email", "text", "blank", "too_long", "characters", "date", "object")
_MESSAGES = {
    "missing": "This field is required",
    "extra_forbidden": "There is a field that this request does not have",
    "json_invalid": "The body is not JSON as this service reads it",
}


def _field_error(item: dict[str, Any]) -> dict[str, str]:
    kind = item["type"]
    unknown_name = kind in ("extra_forbidden", "json_invalid")
    message = item["msg"] if kind in _OWN else _MESSAGES.get(kind, "This value is not valid")
    if kind == "json_invalid":
        message = item["ctx"]["error"]
    return {
        # The name of an unknown field is input, too: its parent is named instead.
        "pointer": _pointer(item["loc"][1:-1] if unknown_name else item["loc"][1:]),
        "code": kind,
        "message": message,
    }


def _pointer(location: Sequence[str | int]) -> str:
    return "".join(f"/{part}" for part in location)
