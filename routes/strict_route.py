"""Runs one endpoint: strict JSON in, one validation, the endpoint, one serialisation.

Only public names of Starlette and pydantic: a Route, a Request, a Response, a model.
routes/strict_router.py declares the endpoints and documents them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from routes.context import context_of
from routes.problems import HANDLED, problem_of
from routes.request_body import read_body


@dataclass(frozen=True)
class Declaration:
    """An endpoint, and what its decorator and its signature say.

    body: the model of its body; answer: the model or the Response class that it returns;
    status_code: the status of a success.
    """

    method: str
    path: str
    endpoint: Callable[..., Awaitable[BaseModel | Response]]
    takes_context: bool
    body: type[BaseModel] | None
    answer: type[BaseModel | Response]
    status_code: int


class StrictRoute(Route):
    """Runs one endpoint, for its own method alone."""

    def __init__(self, declared: Declaration) -> None:
        name, methods = declared.endpoint.__name__, [declared.method]
        super().__init__(declared.path, _Runner(declared), methods=methods, name=name)
        self._method, self._has_parameters = declared.method, "{" in declared.path

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the request is for this route.

        Another method matches nothing, so that FastAPI refuses it. Starlette would also take HEAD
        for GET, and the endpoint would do its work for it.
        """
        if scope["type"] != "http" or scope["method"] != self._method:
            return Match.NONE, {}
        path = scope["path"]
        if path == self.path:
            # Without Starlette's pattern, which takes 4 µs.
            return Match.FULL, {"endpoint": self.endpoint, "path_params": {}}
        if self._has_parameters or scope.get("root_path") or path.startswith(self.path):
            # This route must match every path that FastAPI's copy of it would match.
            return super().matches(scope)
        return Match.NONE, {}


class _Runner:
    """The ASGI application of a StrictRoute.

    An object and not a function: Starlette wraps a function in one closure more per request.
    """

    def __init__(self, declared: Declaration) -> None:
        self._endpoint, self._takes_context = declared.endpoint, declared.takes_context
        self._body = declared.body
        self._status = declared.status_code
        self._answer = declared.answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._run(Request(scope, receive, send))
        except HANDLED as error:
            response = problem_of(error, scope["state"]["request_id"])
        await response(scope, receive, send)

    async def _run(self, request: Request) -> Response:
        ctx, arguments = context_of(request), dict(request.path_params)
        if self._takes_context:
            arguments["ctx"] = ctx
        if self._body is not None:
            arguments["body"] = await read_body(request, ctx.content_type, self._body)
        answer = await self._endpoint(**arguments)
        if isinstance(answer, Response):
            answer.headers.update(ctx.response_headers)
            return answer
        if type(answer) is not self._answer:
            # A subclass would show members that the document does not have.
            raise TypeError(f"{self._endpoint.__qualname__} returned a {type(answer).__name__}")
        body = answer.model_dump_json()
        return Response(body, self._status, ctx.response_headers, "application/json")
