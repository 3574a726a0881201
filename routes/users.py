"""Profiles over HTTP: what an access token opens."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from routes.http import CallerOf, StrictRoute, responses
from schemas import UserProfile
from services.access import Access

router = APIRouter(tags=["Protected Endpoints"], route_class=StrictRoute)
# `auto_error` off: who comes without a token is refused by us, and on record.
bearer = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="the `access_token` of `/login/complete`"
)
Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]


@router.get("/users/{user_id}", responses=responses(401, 403, 404, 429))
async def read_user(
    request: Request, caller: CallerOf, user_id: str, credentials: Bearer
) -> UserProfile:
    """A profile: your own, or anyone's for an admin."""
    access = cast(Access, request.app.state.access)
    token = credentials.credentials if credentials else None
    return UserProfile.model_validate(await access.read_profile(caller, token, user_id))
