"""Who may read which profile. The token names the actor; the actor's role is in the database."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import audit
from audit import Caller, Principal
from core import errors
from core.database.interface import Database, Transaction
from core.errors import ApiError, Unavailable
from core.ids import is_uuid
from core.tokens.access_tokens import BadToken, Tokens
from services.rate_limits import RateLimits
from stores import users
from stores.users import UserRow


@dataclass(frozen=True)
class Profiles:
    """Reads of profiles. Every read and every refusal is recorded."""

    db: Database
    tokens: Tokens
    rate_limits: RateLimits

    async def read_profile(self, caller: Caller, token: str | None, user_id: str) -> UserRow:
        """The profile of `user_id`, if the bearer of `token` may read it.

        Raises NotAuthenticated, InvalidToken, Forbidden, UserNotFound.
        """
        actor_id = await self._authenticate(caller, token)

        # One transaction decides and records, so the role is the one in the database now.
        def unit(tx: Transaction) -> UserRow | ApiError:
            event, answer = _decide(tx, actor_id, user_id)
            audit.record(tx, caller, event)
            return answer

        answer = await self.db.decide(unit)
        if isinstance(answer, ApiError):
            raise answer
        return answer

    async def _authenticate(self, caller: Caller, token: str | None) -> str:
        try:
            if token is None:
                raise BadToken("missing")
            return self.tokens.verify(token)
        except BadToken as error:
            # If the counters do not answer, the bad token is refused, without a rate limit.
            with suppress(Unavailable):
                await self.rate_limits.enforce(caller, "token_rejected")
            event = audit.TokenRejected(reason=error.reason)
            await self.db.autocommit(lambda tx: audit.record(tx, caller, event))
            raise (errors.NotAuthenticated() if token is None else errors.InvalidToken()) from None


def _decide(tx: Transaction, actor_id: str, user_id: str) -> tuple[audit.Event, UserRow | ApiError]:
    actor = users.by_id(tx, actor_id)
    if actor is None or actor.disabled:
        reason = "user_disabled" if actor else "unknown_user"
        return audit.TokenRejected(Principal(actor_id, None), reason=reason), errors.InvalidToken()
    who = Principal.of(actor)
    subject: UserRow | None = actor
    if user_id != actor_id:
        subject = users.by_id(tx, user_id) if is_uuid(user_id) else None
    whom = (
        Principal.of(subject) if subject else Principal(user_id if is_uuid(user_id) else None, None)
    )
    if actor.role != "admin" and actor.id != user_id:
        return audit.ProfileRefused(who, whom, reason="forbidden"), errors.Forbidden()
    if subject is None:
        return audit.ProfileRefused(who, whom, reason="not_found"), errors.UserNotFound()
    return audit.ProfileRead(who, whom), subject
