"""Reads the body of a request: in time, as strict JSON, as an instance of a model.

The EdgeMiddleware limits the size of a body; this module limits how long the client may take.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from core import strict_json

BODY_TIMEOUT_SECONDS = 10
JSON_CONTENT = re.compile(r"application/([a-z0-9.!#$&^_-]+\+)?json\s*(;.*)?", re.IGNORECASE)


async def read_body(request: Request, content_type: str, model: type[BaseModel]) -> BaseModel:
    """The body as `model`. Raises RequestValidationError (422), HTTPException (400, 408)."""
    body = await _body_in_time(request)
    if not body:
        raise RequestValidationError([{"type": "missing", "loc": ("body",)}])
    if not JSON_CONTENT.fullmatch(content_type):
        # Every model refuses bytes, because they are not an object.
        return _validated(model, body)
    try:
        value = strict_json.loads(body)
    except strict_json.StrictJSONError as error:
        raise RequestValidationError(
            [{"type": "json_invalid", "loc": ("body", 0), "ctx": {"error": error.msg}}]
        ) from None
    return _validated(model, value)


async def _body_in_time(request: Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            return await _body(request)
    except TimeoutError:
        # The connection closes: the rest of the body must not be read as the next request.
        headers = {"Connection": "close"}
        raise HTTPException(408, "The body did not arrive in time", headers) from None


async def _body(request: Request) -> bytes:
    """As `Request.body`, without its asynchronous generator (docs/decisions/0020 has the price)."""
    parts = []
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise HTTPException(400, "The body did not arrive")
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _validated(model: type[BaseModel], value: Any) -> BaseModel:
    if value is None:
        raise RequestValidationError([{"type": "missing", "loc": ("body",)}])
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        for item in found:
            item["loc"] = ("body", *item["loc"])
        raise RequestValidationError(found) from None
