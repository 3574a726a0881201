"""Rate limits over HTTP: one call at the head of a ceremony step."""

from __future__ import annotations

from typing import cast

from fastapi import Request, Response

from audit import Caller
from schemas import EmailAddress
from services.throttle import Throttle


async def admit(
    request: Request, response: Response, caller: Caller, action: str, email: EmailAddress | None
) -> None:
    """Count this request; the answer says how many are left. Raises Refusal (429)."""
    throttle = cast(Throttle, request.app.state.throttle)
    canonical = email.canonical if email else None
    response.headers.update(await throttle.admit(caller, action, canonical))
