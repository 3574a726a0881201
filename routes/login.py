"""Login over HTTP: begin, complete, and the classic `POST /login`."""

from __future__ import annotations

from starlette.responses import RedirectResponse

from core.errors import InvalidCredentials, RateLimited
from routes.context import RequestContext
from routes.guards import rate_limited
from routes.strict_router import StrictRouter
from schemas import LoginAnswer, LoginBegin, LoginComplete, Options, UserBrief

router = StrictRouter("Login")


@router.post("/login/begin", errors=(InvalidCredentials, RateLimited))
async def login_begin(ctx: RequestContext, body: LoginBegin) -> Options:
    """Ask to log in; gives the options for `navigator.credentials.get()`.

    The answer does not tell whether the email is registered. Without an email any passkey of this
    site may answer.
    """
    await rate_limited(ctx, "login_begin", body.email)
    return Options(publicKey=await ctx.service.passkeys.login_begin(ctx.caller, body.email))


@router.post("/login/complete", errors=(InvalidCredentials, RateLimited))
async def login_complete(ctx: RequestContext, body: LoginComplete) -> LoginAnswer:
    """Hand over the assertion; gives the access token."""
    await rate_limited(ctx, "login_complete", body.email)
    done = await ctx.service.passkeys.login_complete(ctx.caller, body.email, body.assertion)
    return LoginAnswer(access_token=done.access_token, user=UserBrief.model_validate(done.user))


@router.post("/login", status_code=307)
async def login() -> RedirectResponse:
    """Where a login starts; method and body are kept."""
    return RedirectResponse("/login/begin", 307)
