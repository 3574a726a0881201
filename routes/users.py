"""Profiles over HTTP: what an access token opens."""

from __future__ import annotations

from fastapi import Security
from fastapi.security import HTTPBearer

from routes.strict_route import Call, CallOf, responses, strict_router
from schemas import UserProfile
from services.access import Access

router = strict_router("Protected Endpoints")
# For the document and its Authorize button: who comes without a token is refused by us, on record.
bearer = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="the `access_token` of `/login/complete`"
)


@router.get(
    "/users/{user_id}", responses=responses(401, 403, 404, 429), dependencies=[Security(bearer)]
)
async def read_user(call: CallOf, user_id: str) -> UserProfile:
    """A profile: your own, or anyone's for an admin."""
    access: Access = call.parts.access
    return UserProfile.model_validate(await access.read_profile(call.caller, _token(call), user_id))


def _token(call: Call) -> str | None:
    """The bearer token of the request (RFC 6750 §2.1), if there is one."""
    scheme, _, token = call.header(b"authorization").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
