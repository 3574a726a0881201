"""Registration over HTTP: begin, complete, and the classic `POST /users`."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from auth import Passkeys
from routes.http import CallerOf, StrictRoute, responses
from routes.throttling import admit
from schemas import Options, RegisterBegin, RegisterComplete, UserProfile

router = APIRouter(tags=["Registration"], route_class=StrictRoute)


@router.post("/users", status_code=307, response_class=RedirectResponse)
async def create_user() -> RedirectResponse:
    """Where registration starts; method and body are kept."""
    return RedirectResponse("/register/begin", 307)


@router.post("/register/begin", responses=responses(409, 422, 429))
async def register_begin(
    request: Request, response: Response, caller: CallerOf, body: RegisterBegin
) -> Options:
    """Ask for a new account; gives the options for `navigator.credentials.create()`."""
    await admit(request, response, caller, "register_begin", body.email)
    return Options(publicKey=await _passkeys(request).register_begin(caller, body))


@router.post("/register/complete", status_code=201, responses=responses(400, 422, 429))
async def register_complete(
    request: Request, response: Response, caller: CallerOf, body: RegisterComplete
) -> UserProfile:
    """Hand over the new passkey; the account exists from now on."""
    await admit(request, response, caller, "register_complete", body.email)
    user = await _passkeys(request).register_complete(caller, body.email, body.credential)
    return UserProfile.model_validate(user)


def _passkeys(request: Request) -> Passkeys:
    return cast(Passkeys, request.app.state.passkeys)
