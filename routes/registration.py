"""Registration over HTTP: begin, complete, and the classic `POST /users`."""

from __future__ import annotations

from starlette.responses import RedirectResponse

from core.errors import RateLimited, RegistrationFailed, RegistrationNotPossible
from routes.context import RequestContext
from routes.guards import rate_limited
from routes.strict_router import StrictRouter
from schemas import Options, RegisterBegin, RegisterComplete, UserProfile

router = StrictRouter("Registration")


@router.post("/register/begin", errors=(RegistrationNotPossible, RateLimited))
async def register_begin(ctx: RequestContext, body: RegisterBegin) -> Options:
    """Ask for a new account; gives the options for `navigator.credentials.create()`."""
    await rate_limited(ctx, "register_begin", body.email)
    return Options(publicKey=await ctx.service.passkeys.register_begin(ctx.caller, body))


@router.post("/register/complete", status_code=201, errors=(RegistrationFailed, RateLimited))
async def register_complete(ctx: RequestContext, body: RegisterComplete) -> UserProfile:
    """Hand over the new passkey; the account exists from now on."""
    await rate_limited(ctx, "register_complete", body.email)
    user = await ctx.service.passkeys.register_complete(ctx.caller, body.email, body.credential)
    return UserProfile.model_validate(user)


@router.post("/users", status_code=307)
async def create_user() -> RedirectResponse:
    """Where registration starts; method and body are kept."""
    return RedirectResponse("/register/begin", 307)
