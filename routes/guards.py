"""Rate limits over HTTP: one call at the head of a ceremony step."""

from __future__ import annotations

from routes.strict_route import Call
from schemas import EmailAddress
from services.throttle import Throttle


async def admit(call: Call, action: str, email: EmailAddress | None) -> None:
    """Count this request; the answer says how many are left. Raises Refusal (429)."""
    throttle: Throttle = call.parts.throttle
    canonical = email.canonical if email else None
    call.headers.update(await throttle.admit(call.caller, action, canonical))
