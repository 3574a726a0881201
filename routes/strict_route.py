"""What every route needs of HTTP: strict bodies, the caller, and refusals in their one shape."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from audit import Caller
from core import strict_json
from core.clock import Clock
from core.errors import PROBLEM_JSON, Refusal, Unavailable, problem, unavailable
from routes.edge.boundary import problem_response
from routes.edge.client_address import TrustedProxies
from schemas import Problem, ValidationProblem

BODY_TIMEOUT_SECONDS = 10
MAX_USER_AGENT = 512
CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 408: "timeout"}
PROBLEM = {"model": Problem, "description": "Refused"}
JSON_CONTENT = re.compile(rb"application/([a-z0-9.!#$&^_-]+\+)?json\s*(;.*)?", re.IGNORECASE)


@dataclass(slots=True)
class Call:
    """One request, as endpoints see it: whose it is, and the headers that its answer gets."""

    scope: Scope
    parts: Any
    caller: Caller
    headers: dict[str, str]

    def header(self, name: bytes) -> str:
        """The first header of this name, in lower case; empty without one."""
        return _header(self.scope, name).decode("latin-1")


def call_of(scope: Scope) -> Call:
    """The request, with who sends it as the audit trail keeps it."""
    parts: Any = scope["app"].state
    own, agent, forwarded = scope["state"], b"", []
    for name, value in scope["headers"]:
        if name == b"user-agent":
            agent = agent or value
        elif name == b"x-forwarded-for":
            forwarded.append(value.decode("latin-1"))
    proxies: TrustedProxies = parts.proxies
    clock: Clock = parts.clock
    caller = Caller(
        proxies.client_of(own["peer"], forwarded),
        _printable(agent.decode("latin-1")),
        own["request_id"],
        clock.now(),
    )
    return Call(scope, parts, caller, {})


def _call(request: Request) -> Call:
    return call_of(request.scope)


CallOf = Annotated[Call, Depends(_call)]


class StrictRoute(APIRoute):
    """A route that FastAPI declares and documents, and that runs without its machinery.

    An endpoint takes `call`, what stands in its path, and a `body` if it has one; it gives a model
    of its answer. Strict JSON, one validation in, one serialisation out: a third of the time.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        forms = [cast(Any, form.field_info.annotation) for form in self.dependant.body_params]
        self._form = TypeAdapter[Any](forms[0]).validator if forms else None
        self._status = self.status_code or 200
        self.app = self._run

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except HANDLED as error:
            answer = refusal_of(scope, error)
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> ASGIApp:
        call = call_of(scope)
        if self._form is None:
            answer = await self.endpoint(call=call, **scope["path_params"])
        else:
            body = _validated(self._form, await _read(scope, receive))
            answer = await self.endpoint(call=call, body=body, **scope["path_params"])
        if not isinstance(answer, BaseModel):
            return cast(ASGIApp, answer)
        return Json(answer.__pydantic_serializer__.to_json(answer), self._status, call.headers)


class Json:
    """An answer that is JSON already."""

    __slots__ = ("_body", "_headers", "_status")

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str]) -> None:
        self._body, self._status, self._headers = body, status, headers

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(self._body)),
        ]
        for name, value in self._headers.items():
            headers.append((name.lower().encode(), value.encode()))
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": self._body})


def strict_router(tag: str) -> APIRouter:
    """A router of strict routes, which stand in the OpenAPI document under `tag`."""
    return APIRouter(
        tags=[tag],
        route_class=StrictRoute,
        generate_unique_id_function=lambda route: route.name,
    )


async def _read(scope: Scope, receive: Receive) -> Any:
    """The JSON of the body; the bytes as they are if they are said to be something else."""
    body = await (_body(receive) if _is_here(receive) else _body_in_time(receive))
    if not body or not JSON_CONTENT.fullmatch(_header(scope, b"content-type")):
        return body or None
    try:
        return strict_json.loads(body)
    except strict_json.StrictJSONError as error:
        raise RequestValidationError(
            [{"type": "json_invalid", "loc": ("body", 0), "ctx": {"error": error.msg}}]
        ) from None


def _is_here(receive: Receive) -> bool:
    """Whether the server has all of the body, so that nobody waits for it.

    uvicorn says so where it keeps a request, and a clock costs more than reading the body does. A
    server that does not say is not believed.
    """
    return getattr(getattr(receive, "__self__", None), "more_body", True) is False


async def _body_in_time(receive: Receive) -> bytes:
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            return await _body(receive)
    except TimeoutError:
        # What still comes must not be read as the next request.
        headers = {"Connection": "close"}
        raise HTTPException(408, "The body did not arrive in time", headers) from None


async def _body(receive: Receive) -> bytes:
    """All of the body, which the boundary holds to its cap."""
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise HTTPException(400, "The body did not arrive")
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _header(scope: Scope, wanted: bytes) -> bytes:
    for name, value in scope["headers"]:
        if name == wanted:
            return cast(bytes, value)
    return b""


def _validated(form: Any, value: Any) -> Any:
    if value is None:
        raise RequestValidationError([{"type": "missing", "loc": ("body",)}])
    try:
        return form.validate_python(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        for item in found:
            item["loc"] = ("body", *item["loc"])
        raise RequestValidationError(found) from None


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


HANDLED = (Refusal, Unavailable, RequestValidationError, HTTPException)


def install_error_handlers(app: FastAPI) -> None:
    """Every error, whoever raises it, leaves as application/problem+json."""

    async def answer(request: Request, error: Exception) -> Response:
        return refusal_of(request.scope, error)

    for kind in HANDLED:
        app.add_exception_handler(kind, answer)


def refusal_of(scope: Scope, error: Exception) -> Response:
    """The answer to an error that is HANDLED."""
    request_id: str = scope["state"]["request_id"]
    if isinstance(error, RequestValidationError):
        return _invalid(request_id, error)
    if isinstance(error, HTTPException):
        return _http(request_id, error)
    refusal = error if isinstance(error, Refusal) else unavailable()
    body = problem(refusal.status, refusal.code, refusal.detail, request_id)
    return problem_response(body, refusal.headers)


def _http(request_id: str, failure: HTTPException) -> Response:
    """Starlette's own errors: no such path, no such method, or a body that is too slow."""
    code = CODES.get(failure.status_code, "http_error")
    body = problem(failure.status_code, code, str(failure.detail), request_id)
    return problem_response(body, dict(failure.headers or {}))


def _invalid(request_id: str, failure: RequestValidationError) -> Response:
    """What is wrong with a body, and where; never what it said."""
    body = problem(
        422,
        "validation_failed",
        "The request body is not valid",
        request_id,
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
