"""Declares endpoints that FastAPI documents and Starlette runs.

FastAPI's own handling of a request takes a third of a login's CPU time (docs/decisions/0020). So
an endpoint of a StrictRouter is declared to FastAPI, for the OpenAPI document, and a StrictRoute
runs each request. A StrictRoute knows few of FastAPI's features: the router refuses at start, with
StrictRouteError, whatever it would ignore. An endpoint that needs more uses a plain APIRouter.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NoReturn, TypedDict, TypeVar, Unpack, cast, get_type_hints

from fastapi import APIRouter, FastAPI, Security
from fastapi.security.http import HTTPBase
from pydantic import BaseModel
from starlette.responses import Response

from core.errors import ApiError
from routes.context import RequestContext
from routes.problems import error_responses
from routes.strict_route import Declaration, StrictRoute

KEYWORD = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)

Endpoint = TypeVar("Endpoint", bound=Callable[..., Awaitable[BaseModel | Response]])


class StrictRouteError(Exception):
    """An endpoint asks for something that a StrictRoute would ignore."""


class RouteOptions(TypedDict, total=False):
    """What an endpoint may be declared with, besides its path and its signature.

    errors: the errors it raises, for the document; status_code: of its success, 200 by default;
    security: the scheme of its token, for the document (the endpoint itself must read the token).
    """

    errors: Iterable[type[ApiError]]
    status_code: int
    security: HTTPBase


class StrictRouter:
    """The endpoints of one feature, under one tag of the document.

    An endpoint is `async`. It may take `ctx: RequestContext`, `body: <a pydantic model>`, and takes
    each parameter of its path as `str`. It returns a pydantic model, or a Response.
    """

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._endpoints: list[tuple[Declaration, RouteOptions]] = []

    def get(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Decorate the endpoint of `GET path`. Raises StrictRouteError."""
        return self._declare("GET", path, options)

    def post(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Decorate the endpoint of `POST path`. Raises StrictRouteError."""
        return self._declare("POST", path, options)

    def _declare(
        self, method: str, path: str, options: RouteOptions
    ) -> Callable[[Endpoint], Endpoint]:
        def decorate(endpoint: Endpoint) -> Endpoint:
            declared = _declared(method, path, endpoint, options)
            self._endpoints.append((declared, options))
            return endpoint

        return decorate

    def install(self, api: FastAPI) -> list[StrictRoute]:
        """Document the endpoints in `api`; the routes that run them. Raises StrictRouteError.

        A request with another method than the declared one goes to `api`, which refuses it (405).
        """
        for declared, options in self._endpoints:
            if api.router.dependencies:
                _refuse(declared.endpoint, "the dependencies of the application")
            _document(api, self._tag, declared, options)
        return [StrictRoute(declared) for declared, _ in self._endpoints]


def install(api: FastAPI, routers: Iterable[StrictRouter | APIRouter]) -> list[StrictRoute]:
    """Add every router to `api`; the routes of the strict ones, to be run before `api`."""
    strict_routes: list[StrictRoute] = []
    for router in routers:
        if isinstance(router, StrictRouter):
            strict_routes += router.install(api)
        else:
            api.include_router(router)
    return strict_routes


def _refuse(endpoint: Callable[..., Any], what: str) -> NoReturn:
    name = f"{endpoint.__module__}.{endpoint.__qualname__}"
    raise StrictRouteError(f"{name}: a StrictRoute would ignore {what}")


def _declared(
    method: str, path: str, endpoint: Callable[..., Any], options: RouteOptions
) -> Declaration:
    """The declaration of an endpoint. Raises StrictRouteError."""
    if unknown := options.keys() - RouteOptions.__annotations__.keys():
        _refuse(endpoint, f"the option {', '.join(sorted(unknown))}")
    if not inspect.iscoroutinefunction(endpoint):
        _refuse(endpoint, "that the endpoint is not async")
    hints = get_type_hints(endpoint, include_extras=True)
    _check_parameters(endpoint, hints, path)
    answer = hints.get("return")
    if not _is_a(answer, BaseModel, Response):
        _refuse(endpoint, f"the return type {answer}: it is no pydantic model and no Response")
    return Declaration(
        *(method, path, endpoint),
        takes_context="ctx" in hints,
        body=hints.get("body"),
        answer=cast(type[BaseModel | Response], answer),
        status_code=options.get("status_code", 200),
    )


def _check_parameters(endpoint: Callable[..., Any], hints: dict[str, Any], path: str) -> None:
    in_path = set(re.findall(r"\{([^}]*)\}", path))
    for parameter in inspect.signature(endpoint).parameters.values():
        if not _is_known(parameter, hints.get(parameter.name), in_path):
            _refuse(endpoint, f"the parameter {parameter}")
    if wrong := (in_path - hints.keys()) | (in_path & {"ctx", "body"}):
        _refuse(endpoint, f"the path parameter {', '.join(sorted(wrong))}")


def _is_known(parameter: inspect.Parameter, hint: Any, in_path: set[str]) -> bool:
    if parameter.kind not in KEYWORD or parameter.default is not inspect.Parameter.empty:
        return False
    if parameter.name in in_path:
        return hint is str
    if parameter.name == "ctx":
        return hint is RequestContext
    return parameter.name == "body" and _is_a(hint, BaseModel)


def _is_a(hint: Any, *kinds: type) -> bool:
    return isinstance(hint, type) and issubclass(hint, kinds)


def _document(api: FastAPI, tag: str, declared: Declaration, options: RouteOptions) -> None:
    """Declare the endpoint to FastAPI, for the document and for the refusal of other methods."""
    extra: dict[str, Any] = {}
    if issubclass(declared.answer, Response):
        extra["response_class"] = declared.answer
    if "security" in options:
        extra["dependencies"] = [Security(options["security"])]
    api.add_api_route(
        declared.path,
        _signature_for_fastapi(declared),
        name=declared.endpoint.__name__,
        methods=[declared.method],
        tags=[tag],
        status_code=declared.status_code,
        responses=error_responses(options.get("errors", ()), has_body=declared.body is not None),
        **extra,
    )


def _signature_for_fastapi(declared: Declaration) -> Callable[..., Any]:
    """A function with the signature of the endpoint, but for `ctx`, which no client sends."""

    async def documented(**_values: Any) -> None:
        raise RuntimeError(f"{declared.path} was not run by its StrictRoute")

    hints = {"body": declared.body}
    parameters = [
        parameter.replace(annotation=hints.get(parameter.name, str))
        for parameter in inspect.signature(declared.endpoint).parameters.values()
        if parameter.name != "ctx"
    ]
    signature = inspect.Signature(parameters, return_annotation=declared.answer)
    documented.__doc__ = declared.endpoint.__doc__
    cast(Any, documented).__signature__ = signature
    return documented
