"""Checks that an endpoint makes first, one line for each."""

from __future__ import annotations

from fastapi.security import HTTPBearer

from core.email_address import EmailAddress
from routes.context import RequestContext

# How an endpoint says in the OpenAPI document that it takes a token; see StrictRouter.
BEARER = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="the `access_token` of `/login/complete`"
)


async def rate_limited(ctx: RequestContext, action: str, email: EmailAddress | None) -> None:
    """Count this request towards the limits of `action`; the response says how many are left.

    The limits are per client address, per email if there is one, and for all clients together.
    Raises RateLimited (429), or Unavailable when the counters cannot be reached.
    """
    account = email.canonical if email else None
    limits = await ctx.service.rate_limits.enforce(ctx.caller, action, account)
    ctx.response_headers.update(limits)


def bearer_token(ctx: RequestContext) -> str | None:
    """The bearer token of the request (RFC 6750 §2.1), not yet verified; None without one.

    services/profiles.py verifies it, because a request with a bad token is recorded, too.
    """
    scheme, _, token = ctx.request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
