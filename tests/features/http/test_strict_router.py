"""A StrictRouter refuses at start whatever its routes would ignore, and names the endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, cast

import httpx
import pytest
from fastapi import APIRouter, Body, Cookie, Depends, FastAPI, Form, Header, Query
from pydantic import BaseModel
from starlette.responses import PlainTextResponse

from routes.context import RequestContext, ServiceParts
from routes.strict_router import StrictRouteError, StrictRouter, install
from tests.features.http.problems import problem
from tests.support.service import Service


class Filled(BaseModel):
    """A body."""

    name: str


FILLED = Filled(name="")


class Answer(BaseModel):
    """What an endpoint declares."""

    name: str


class Wider(Answer):
    """An answer with a member that no document has."""

    secret: str


def token() -> str:
    return ""


async def dependency(ctx: RequestContext, user: Annotated[str, Depends(token)]) -> Answer:
    raise NotImplementedError


async def header(ctx: RequestContext, agent: Annotated[str, Header()]) -> Answer:
    raise NotImplementedError


async def query(ctx: RequestContext, page: int) -> Answer:
    raise NotImplementedError


async def query_with_default(ctx: RequestContext, page: int = 1) -> Answer:
    raise NotImplementedError


async def declared_query(ctx: RequestContext, page: Annotated[int, Query(ge=1)]) -> Answer:
    raise NotImplementedError


async def cookie(ctx: RequestContext, session: Annotated[str, Cookie()]) -> Answer:
    raise NotImplementedError


async def form(ctx: RequestContext, body: Annotated[Filled, Form()]) -> Answer:
    raise NotImplementedError


async def embedded(ctx: RequestContext, body: Annotated[Filled, Body(embed=True)]) -> Answer:
    raise NotImplementedError


async def second_body(ctx: RequestContext, body: Filled, other: Filled) -> Answer:
    raise NotImplementedError


async def optional_body(ctx: RequestContext, body: Filled | None) -> Answer:
    raise NotImplementedError


async def body_with_default(ctx: RequestContext, body: Filled = FILLED) -> Answer:
    raise NotImplementedError


async def body_of_a_list(ctx: RequestContext, body: list[str]) -> Answer:
    raise NotImplementedError


async def other_context(ctx: str) -> Answer:
    raise NotImplementedError


async def any_keywords(**parts: str) -> Answer:
    raise NotImplementedError


async def untyped(ctx: RequestContext) -> dict[str, str]:
    raise NotImplementedError


async def no_answer(ctx: RequestContext) -> None:
    raise NotImplementedError


def blocking(ctx: RequestContext) -> Answer:
    raise NotImplementedError


ENDPOINTS: list[Callable[..., Any]] = [
    dependency, header, query, query_with_default, declared_query, cookie, form, embedded,
    second_body, optional_body, body_with_default, body_of_a_list, other_context, any_keywords,
    untyped, no_answer, blocking,
]  # fmt: skip


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.__name__)
def test_an_endpoint_that_asks_for_more_is_refused_by_name(endpoint: Callable[..., Any]) -> None:
    with pytest.raises(StrictRouteError, match=rf"\.{endpoint.__name__}: a StrictRoute would"):
        StrictRouter("Tag").post("/path")(endpoint)


async def by_number(ctx: RequestContext, user_id: int) -> Answer:
    raise NotImplementedError


async def by_pattern(ctx: RequestContext, user_id: Annotated[str, Query()]) -> Answer:
    raise NotImplementedError


async def without_it(ctx: RequestContext) -> Answer:
    raise NotImplementedError


async def by_text(ctx: RequestContext, user_id: str) -> Answer:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/users/{user_id}", by_number),
        ("/users/{user_id}", by_pattern),
        ("/users/{user_id}", without_it),
        ("/users/{user_id:int}", by_text),
        ("/users/{ctx}", without_it),
    ],
)
def test_a_path_parameter_is_plain_text_and_taken(path: str, endpoint: Callable[..., Any]) -> None:
    with pytest.raises(StrictRouteError, match=endpoint.__name__):
        StrictRouter("Tag").get(path)(endpoint)


async def plain(ctx: RequestContext) -> Answer:
    raise NotImplementedError


@pytest.mark.parametrize(
    "option",
    [
        {"dependencies": [Depends(token)]},
        {"response_model": Answer},
        {"response_class": PlainTextResponse},
        {"response_model_exclude": {"name"}},
        {"responses": {404: {}}},
    ],
    ids=lambda option: str(*option),
)
def test_an_option_that_is_not_known_is_refused_by_name(option: dict[str, Any]) -> None:
    with pytest.raises(StrictRouteError, match=rf"\.plain: .* {next(iter(option))}"):
        cast(Any, StrictRouter("Tag")).post("/path", **option)(plain)


def test_dependencies_of_the_whole_application_are_refused() -> None:
    router = StrictRouter("Tag")
    router.get("/path")(plain)
    with pytest.raises(StrictRouteError, match="plain"):
        router.install(FastAPI(dependencies=[Depends(token)]))


def test_a_strict_router_cannot_be_included_as_a_plain_one() -> None:
    """Its endpoints would run by FastAPI, whose rules they do not keep."""
    with pytest.raises(AttributeError):
        FastAPI().include_router(cast(Any, StrictRouter("Tag")))


def test_an_endpoint_that_only_fastapi_runs_says_so(service: Service) -> None:
    """The documented route is not the one that runs: without its StrictRoute it does nothing."""

    async def directly() -> httpx.Response:
        transport = httpx.ASGITransport(service.app.api, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post("/login")

    with pytest.raises(RuntimeError, match="/login was not run by its StrictRoute"):
        service.run(directly())


def served(service: Service, *routers: StrictRouter | APIRouter) -> None:
    """Add the endpoints of `routers` to a running service."""
    edge: Any = service.app.edge
    edge._app.routes += install(service.app.api, routers)


def test_a_subclass_of_the_declared_answer_is_a_fault_and_shows_nothing(service: Service) -> None:
    """FastAPI would leave the other members out; here they must not leave either."""
    router = StrictRouter("Tag")

    @router.get("/wider")
    async def wider() -> Answer:
        return Wider(name="jane", secret="hunter2")

    served(service, router)
    answer = service.get("/wider")
    problem(answer, 500, "internal_error")
    assert "hunter2" not in answer.text


def test_headers_of_the_context_stand_on_every_kind_of_answer(service: Service) -> None:
    router = StrictRouter("Tag")

    @router.get("/model")
    async def model(ctx: RequestContext) -> Answer:
        ctx.response_headers["X-Told"] = "model"
        return Answer(name="jane")

    @router.get("/text")
    async def text(ctx: RequestContext) -> PlainTextResponse:
        ctx.response_headers["X-Told"] = "text"
        return PlainTextResponse("jane")

    served(service, router)
    assert [service.get(f"/{kind}").headers["x-told"] for kind in ("model", "text")] == [
        "model",
        "text",
    ]


@pytest.mark.parametrize("path", ["/login/begin\n", "/login\n"])
def test_what_starlettes_pattern_takes_is_run_strictly_too(service: Service, path: str) -> None:
    """Its `$` matches before a last newline: FastAPI's copy of the route must not get that."""
    answer = service.post(path.replace("\n", "%0a"), {})
    assert answer.status_code in (200, 307)


def test_a_root_path_is_left_out_of_the_path(service: Service) -> None:
    """As uvicorn passes it on with --root-path."""

    async def below() -> list[int]:
        transport = httpx.ASGITransport(service.app, root_path="/auth")
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [
                (await client.post("/auth/login/begin", json={})).status_code,
                (await client.get("/auth/users/x")).status_code,
                (await client.get("/auth/livez")).status_code,
                (await client.get("/auth/login")).status_code,
            ]

    assert service.run(below()) == [200, 401, 200, 405]


class Paged(BaseModel):
    """A body of a plain endpoint."""

    size: int


def test_a_plain_router_beside_strict_ones_has_all_of_fastapi(service: Service) -> None:
    """Queries, headers, dependencies and validation; errors have the one shape all the same."""
    router = APIRouter(tags=["Plain"], dependencies=[Depends(token)])

    @router.post("/plain/{number}")
    async def plain_endpoint(
        parts: ServiceParts, number: int, body: Paged, page: Annotated[int, Query(ge=1)] = 1
    ) -> dict[str, Any]:
        return {"sum": number + body.size + page, "rp_id": parts.settings.rp_id}

    served(service, router)
    answer = service.post("/plain/1?page=2", {"size": 4})
    assert (answer.status_code, answer.json()) == (200, {"sum": 7, "rp_id": "localhost"})
    assert answer.headers["x-content-type-options"] == "nosniff"
    (error,) = problem(service.post("/plain/1?page=0", {"size": 4}), 422, "validation_failed")[
        "errors"
    ]
    assert error["pointer"] == "/page"
    problem(service.post("/plain/1", {"size": "x" * 40_000}), 413, "body_too_large")


def test_a_body_over_the_cap_in_chunks_is_413_at_a_plain_endpoint_too(service: Service) -> None:
    """B1: the body is counted while FastAPI reads it."""
    router = APIRouter()

    @router.post("/sized")
    async def sized(body: Paged) -> int:
        return body.size

    async def chunks() -> Any:
        for _ in range(20):
            yield b" " * 4096

    served(service, router)
    headers = {"Content-Type": "application/json"}
    answer = service.request("POST", "/sized", content=chunks(), headers=headers)
    problem(answer, 413, "body_too_large")
    assert answer.headers["connection"] == "close"


def test_an_unforeseen_error_of_a_plain_endpoint_is_a_plain_500(service: Service) -> None:
    """Starlette answers it in plain text; the edge replaces that text."""
    router = APIRouter()

    @router.get("/fault")
    async def fault() -> None:
        raise RuntimeError("hunter2")

    served(service, router)
    answer = service.get("/fault")
    problem(answer, 500, "internal_error")
    assert "hunter2" not in answer.text
