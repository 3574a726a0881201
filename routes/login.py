"""Login over HTTP: begin, complete, and the classic `POST /login`."""

from __future__ import annotations

from fastapi.responses import RedirectResponse

from auth import Passkeys
from routes.guards import admit
from routes.strict_route import Call, CallOf, responses, strict_router
from schemas import LoginAnswer, LoginBegin, LoginComplete, Options, UserBrief

router = strict_router("Login")


@router.post("/login/begin", responses=responses(401, 422, 429))
async def login_begin(call: CallOf, body: LoginBegin) -> Options:
    """Ask to log in; gives the options for `navigator.credentials.get()`.

    The answer does not tell whether the email is registered. Without an email any passkey of this
    site may answer.
    """
    await admit(call, "login_begin", body.email)
    return Options(publicKey=await _passkeys(call).login_begin(call.caller, body.email))


@router.post("/login/complete", responses=responses(401, 422, 429))
async def login_complete(call: CallOf, body: LoginComplete) -> LoginAnswer:
    """Hand over the assertion; gives the access token."""
    await admit(call, "login_complete", body.email)
    done = await _passkeys(call).login_complete(call.caller, body.email, body.assertion)
    return LoginAnswer(access_token=done.access_token, user=UserBrief.model_validate(done.user))


@router.post("/login", status_code=307, response_class=RedirectResponse)
async def login(call: CallOf) -> RedirectResponse:  # noqa: ARG001 (every endpoint is called so)
    """Where a login starts; method and body are kept."""
    return RedirectResponse("/login/begin", 307)


def _passkeys(call: Call) -> Passkeys:
    passkeys: Passkeys = call.parts.passkeys
    return passkeys
