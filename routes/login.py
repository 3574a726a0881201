"""Login over HTTP: begin, complete, and the classic `POST /login`."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from auth import Passkeys
from routes.http import CallerOf, StrictRoute, responses
from routes.throttling import admit
from schemas import LoginAnswer, LoginBegin, LoginComplete, Options, UserBrief

router = APIRouter(tags=["Login"], route_class=StrictRoute)


@router.post("/login", status_code=307, response_class=RedirectResponse)
async def login() -> RedirectResponse:
    """Where a login starts; method and body are kept."""
    return RedirectResponse("/login/begin", 307)


@router.post("/login/begin", responses=responses(401, 422, 429))
async def login_begin(
    request: Request, response: Response, caller: CallerOf, body: LoginBegin
) -> Options:
    """Ask to log in; gives the options for `navigator.credentials.get()`.

    The answer does not tell whether the email is registered. Without an email any passkey of this
    site may answer.
    """
    await admit(request, response, caller, "login_begin", body.email)
    return Options(publicKey=await _passkeys(request).login_begin(caller, body.email))


@router.post("/login/complete", responses=responses(401, 422, 429))
async def login_complete(
    request: Request, response: Response, caller: CallerOf, body: LoginComplete
) -> LoginAnswer:
    """Hand over the assertion; gives the access token."""
    await admit(request, response, caller, "login_complete", body.email)
    done = await _passkeys(request).login_complete(caller, body.email, body.assertion)
    return LoginAnswer(access_token=done.access_token, user=UserBrief.model_validate(done.user))


def _passkeys(request: Request) -> Passkeys:
    return cast(Passkeys, request.app.state.passkeys)
