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
from starlette.requests import ClientDisconnect, Request

from core import strict_json

BODY_TIMEOUT_SECONDS = 10
JSON_CONTENT = re.compile(r"application/([a-z0-9.!#$&^_-]+\+)?json\s*(;.*)?", re.IGNORECASE)


async def read_body(request: Request, content_type: str, model: type[BaseModel]) -> BaseModel:
    """The body as `model`. Raises RequestValidationError (422), HTTPException (400, 408)."""
    body = await _body_in_time(request)
    if not body:
        raise RequestValidationError([{"type": "missing", "loc": ("body",)}])
    if not JSON_CONTENT.fullmatch(content_type):
        # The bytes are no object, so that the model refuses them.
        return _validated(model, body)
    try:
        value = strict_json.loads(body)
    except strict_json.StrictJSONError as error:
        raise RequestValidationError(
            [{"type": "json_invalid", "loc": ("body", 0), "ctx": {"error": error.msg}}]
        ) from None
    return _validated(model, value)


async def _body_in_time(request: Request) -> bytes:
    deadline = _Deadline(BODY_TIMEOUT_SECONDS)
    try:
        return await request.body()
    except asyncio.CancelledError:
        if not deadline.ended_the_task():
            raise
        # The connection closes: the rest of the body must not be read as the next request.
        headers = {"Connection": "close"}
        raise HTTPException(408, "The body did not arrive in time", headers) from None
    except ClientDisconnect:
        raise HTTPException(400, "The body did not arrive") from None
    finally:
        deadline.stop()


class _Deadline:
    """Cancels the running task after some seconds.

    The timer is armed in the next round of the event loop: by then the server has nearly always
    handed over the whole body, and no timer is needed. asyncio.timeout arms its timer at once and
    costs 7 µs more, twice in a login (docs/decisions/0020).
    """

    __slots__ = ("_loop", "_passed", "_seconds", "_task", "_timer")

    def __init__(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (a request is a task)
        self._task, self._seconds, self._passed = task, seconds, False
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.Handle = self._loop.call_soon(self._arm)

    def _arm(self) -> None:
        self._timer = self._loop.call_later(self._seconds, self._pass)

    def _pass(self) -> None:
        self._passed = True
        self._task.cancel()

    def ended_the_task(self) -> bool:
        """Whether the deadline alone cancelled the task; the task then goes on."""
        return self._passed and self._task.uncancel() == 0

    def stop(self) -> None:
        """Let the task live from now on."""
        self._timer.cancel()


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
