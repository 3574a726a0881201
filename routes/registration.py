"""Registration over HTTP: begin, complete, and the classic `POST /users`."""

from __future__ import annotations

from fastapi.responses import RedirectResponse

from auth import Passkeys
from routes.guards import admit
from routes.strict_route import Call, CallOf, responses, strict_router
from schemas import Options, RegisterBegin, RegisterComplete, UserProfile

router = strict_router("Registration")


@router.post("/register/begin", responses=responses(409, 422, 429))
async def register_begin(call: CallOf, body: RegisterBegin) -> Options:
    """Ask for a new account; gives the options for `navigator.credentials.create()`."""
    await admit(call, "register_begin", body.email)
    return Options(publicKey=await _passkeys(call).register_begin(call.caller, body))


@router.post("/register/complete", status_code=201, responses=responses(400, 422, 429))
async def register_complete(call: CallOf, body: RegisterComplete) -> UserProfile:
    """Hand over the new passkey; the account exists from now on."""
    await admit(call, "register_complete", body.email)
    user = await _passkeys(call).register_complete(call.caller, body.email, body.credential)
    return UserProfile.model_validate(user)


@router.post("/users", status_code=307, response_class=RedirectResponse)
async def create_user(call: CallOf) -> RedirectResponse:  # noqa: ARG001 (as every endpoint)
    """Where registration starts; method and body are kept."""
    return RedirectResponse("/register/begin", 307)


def _passkeys(call: Call) -> Passkeys:
    passkeys: Passkeys = call.parts.passkeys
    return passkeys
