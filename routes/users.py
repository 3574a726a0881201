"""Profiles over HTTP, for requests with an access token."""

from __future__ import annotations

from core.errors import Forbidden, InvalidToken, RateLimited, UserNotFound
from routes.context import RequestContext
from routes.guards import BEARER, bearer_token
from routes.strict_router import StrictRouter
from schemas import UserProfile

router = StrictRouter("Protected Endpoints")


@router.get(
    "/users/{user_id}", security=BEARER, errors=(InvalidToken, Forbidden, UserNotFound, RateLimited)
)
async def read_user(ctx: RequestContext, user_id: str) -> UserProfile:
    """A profile: your own, or anyone's for an admin."""
    token = bearer_token(ctx)
    user = await ctx.service.profiles.read_profile(ctx.caller, token, user_id)
    return UserProfile.model_validate(user)
