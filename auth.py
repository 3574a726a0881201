"""The four passkey ceremonies: begin and complete a registration, begin and complete a login.

Start reading here. Each ceremony takes, judges and records:
- take: the challenge is spent before anything can fail, so it is used once whatever the verdict;
- judge: core/relying_party verifies the credential, outside of any transaction;
- record: a success is committed in one transaction with its audit row. A refusal is recorded in a
  transaction of its own, and raised after its commit.

No access token leaves before its `login_complete` row is durable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import audit
from audit import Caller, Principal
from core import errors
from core.database.interface import Database, Transaction
from core.email_address import EmailAddress
from core.relying_party.ceremonies import RelyingParty
from core.relying_party.client_data import UnverifiedClientData
from core.relying_party.credential_record import NewCredentialRecord, VerifiedLogin
from core.relying_party.decoys import Decoys
from core.relying_party.errors import BadCredential, PossibleClone
from core.relying_party.options import MAX_OFFERED_ID, CredentialDescriptor
from core.relying_party.placeholder_keys import placeholder_credential
from core.relying_party.response_json import (
    AuthenticationResponse,
    parse_client_data,
    read_authentication,
    read_registration,
)
from core.tokens.access_tokens import Subject, Tokens
from schemas import RegisterBegin
from stores import credentials, users
from stores.challenges.interface import Challenges, Pending, PendingUser
from stores.credentials import Account, CredentialRow, CredentialTaken, Passkey
from stores.users import EmailTaken, Owner, UserRow


class _DecoyTaken(CredentialTaken):
    """A registration with the credential id of a decoy, which `login_begin` has offered."""

    reason = "credential_decoy"


@dataclass(frozen=True)
class LoggedIn:
    """A completed login: the access token and the account that it authorizes."""

    access_token: str
    user: Owner


@dataclass(frozen=True)
class PasskeyCeremonies:
    """Registration and login with passkeys.

    offers_credentials: `login_begin` with an email lists credentials; if not, it lists none to
    anybody. danger_reveal_unknown_email: it answers 401 for an email without an account.
    """

    db: Database
    challenges: Challenges
    relying_party: RelyingParty
    tokens: Tokens
    decoys: Decoys
    offers_credentials: bool = True
    danger_reveal_unknown_email: bool = False

    def start(self) -> None:
        """Create the placeholder keys now, and not in the first login."""
        placeholder_credential()

    async def register_begin(self, caller: Caller, form: RegisterBegin) -> dict[str, Any]:
        """The creation options for a new account. A taken email raises RegistrationNotPossible."""
        email = form.email.canonical

        def unit(tx: Transaction) -> bool:
            actor = Principal(None, email)
            free = users.id_of(tx, email) is None
            begun = audit.RegistrationBegun(actor)
            refused = audit.RegistrationBeginRefused(actor, reason="email_taken")
            audit.record(tx, caller, begun if free else refused)
            return free

        if not await self.db.decide(unit):
            raise errors.RegistrationNotPossible()
        user = PendingUser.of(form)
        challenge = await self.challenges.put(Pending("registration", email, user))
        return self.relying_party.creation_options(
            challenge=challenge,
            user_id=user.id,
            name=email,
            display_name=f"{user.first_name} {user.last_name}",
        )

    async def register_complete(
        self, caller: Caller, email: EmailAddress, credential: Mapping[str, Any]
    ) -> UserRow:
        """Verify a new passkey and write the account with it. Raises RegistrationFailed.

        The error is the same for every cause; the audit row has the reason.
        """
        data = parse_client_data(credential)
        pending = await self.challenges.take(data.challenge) if data else None
        try:
            user, passkey = self._judge_registration(pending, data, email, credential)
            return await self._store_registration(caller, user, passkey)
        except (BadCredential, EmailTaken, CredentialTaken) as error:
            event = audit.RegistrationRefused(Principal(None, email.canonical), reason=error.reason)
            await self.db.autocommit(lambda tx: audit.record(tx, caller, event))
            raise errors.RegistrationFailed() from None

    def _judge_registration(
        self,
        pending: Pending | None,
        data: UnverifiedClientData | None,
        email: EmailAddress,
        credential: Mapping[str, Any],
    ) -> tuple[PendingUser, NewCredentialRecord]:
        response = read_registration(credential, data)
        pending = _require_ceremony(pending, "registration", email)
        # A pending ceremony implies client data; a pending registration implies its user.
        assert data is not None  # noqa: S101
        assert pending.user is not None  # noqa: S101
        passkey = self.relying_party.verify_registration(
            response, expected_challenge=data.challenge
        )
        return pending.user, passkey

    async def _store_registration(
        self, caller: Caller, pending: PendingUser, passkey: NewCredentialRecord
    ) -> UserRow:
        user = UserRow(**vars(pending), role="user", disabled=0, created_at=caller.at)
        row = CredentialRow.of(user.id, passkey, caller.at)
        is_decoy = self.decoys.is_decoy(row.credential_id)

        def unit(tx: Transaction) -> None:
            users.add(tx, user)
            credentials.add(tx, row)
            if is_decoy:
                # Not sooner: an id that is taken is refused by the insert, after the same work.
                raise _DecoyTaken
            done = audit.RegistrationCompleted.of(user, passkey)
            audit.record(tx, caller, done)

        await self.db.write(unit)
        return user

    async def login_begin(self, caller: Caller, email: EmailAddress | None) -> dict[str, Any]:
        """The request options. For an email that cannot log in they hold decoys.

        Without `offers_credentials` they are empty for every email: any passkey may answer, and
        `login_complete` takes only one of this email's.
        Raises InvalidCredentials for such an email if danger_reveal_unknown_email is set.
        """
        if email is None:
            begun = audit.LoginBegun()
            await self.db.autocommit(lambda tx: audit.record(tx, caller, begun))
            challenge = await self.challenges.put(Pending("login", None))
            return self.relying_party.request_options(challenge=challenge, allowed=())
        account = await self._account_for_login(caller, email.canonical)
        # Decoys are computed for every email, because their time would tell who is registered.
        decoys = self.decoys.of(email.canonical)
        known = account.descriptors if account else ()
        if not known and self.danger_reveal_unknown_email:
            raise errors.InvalidCredentials()
        # No decoy has a long id, so offering one would tell that the account exists.
        short = [(key, text) for key, text in known if len(key) <= MAX_OFFERED_ID]
        listed = (short or decoys) if self.offers_credentials else ()
        allowed = [
            CredentialDescriptor(key, credentials.transports_in(text)) for key, text in listed
        ]
        offered = frozenset(key for key, _ in known)
        pending = Pending("login", email.canonical, offered=offered)
        challenge = await self.challenges.put(pending)
        return self.relying_party.request_options(challenge=challenge, allowed=allowed)

    async def _account_for_login(self, caller: Caller, email: str) -> Account | None:
        def unit(tx: Transaction) -> Account | None:
            account = credentials.account_of(tx, email)
            event: audit.Event
            reason = _refusal_reason(account)
            if account is not None and reason is None:
                event = audit.LoginBegun(Principal(account.user_id, email))
            else:
                event = audit.LoginBeginRefused(Principal(None, email), reason=reason)
            audit.record(tx, caller, event)
            return account if reason is None else None

        return await self.db.decide(unit)

    async def login_complete(
        self, caller: Caller, email: EmailAddress | None, assertion: Mapping[str, Any]
    ) -> LoggedIn:
        """Verify an assertion and issue an access token. Raises InvalidCredentials.

        The error is the same for every cause; the audit row has the reason.

        The assertion is verified before the code asks whether the passkey exists and may log in.
        Otherwise a decoy, a disabled account or a passkey that was not offered would be refused
        sooner than a bad signature, and the time would tell them apart. For this reason
        `_judge_login` returns BadCredential as a value, which is raised after those checks.
        """
        data = parse_client_data(assertion)
        pending = await self.challenges.take(data.challenge) if data else None
        claimed = Principal(None, email.canonical if email else None)
        try:
            response = read_authentication(assertion, data)
            pending = _require_ceremony(pending, "login", email)
            assert data is not None  # noqa: S101
            key = response.credential_id
            found = await self.db.read(lambda tx: credentials.with_owner(tx, key))
            verdict = self._judge_login(pending, data.challenge, response, found)
            if found is None:
                raise BadCredential("unknown_credential")
            passkey, user = found
            claimed = Principal.of(user)
            _require_entitled(pending, email, passkey, user)
            if isinstance(verdict, BadCredential):
                raise verdict
            await self._store_login(caller, passkey, user, verdict)
        except BadCredential as error:
            await self._refuse_login(caller, claimed, error)
            raise errors.InvalidCredentials() from None
        return LoggedIn(self.tokens.issue(_subject(user)), user)

    def _judge_login(
        self,
        pending: Pending,
        challenge: str,
        response: AuthenticationResponse,
        found: tuple[Passkey, Owner] | None,
    ) -> VerifiedLogin | BadCredential:
        """Verify the assertion under the passkey that was found, or under the placeholder."""
        try:
            return self.relying_party.verify_authentication(
                response,
                expected_challenge=challenge,
                credential_record=credentials.record_of(*found)
                if found
                else placeholder_credential(),
                require_user_handle=pending.email is None,
            )
        except BadCredential as error:
            return error

    async def _store_login(
        self, caller: Caller, passkey: Passkey, user: Owner, verified: VerifiedLogin
    ) -> None:
        done = audit.LoginCompleted.of(user, verified)
        change = credentials.used(
            passkey.id,
            sign_count=verified.sign_count,
            backed_up=verified.backed_up,
            moment=caller.at,
        )
        if not await self.db.autocommit(lambda tx: audit.record_if(tx, caller, done, change)):
            # Another login with this sign count was committed first.
            raise PossibleClone("sign_count")

    async def _refuse_login(self, caller: Caller, claimed: Principal, error: BadCredential) -> None:
        event: audit.Event = audit.LoginRefused(claimed, reason=error.reason)
        if isinstance(error, PossibleClone):
            event = audit.CloneSuspected(claimed)
        await self.db.autocommit(lambda tx: audit.record(tx, caller, event))


def _subject(user: Owner) -> Subject:
    return Subject(user.id, user.email, user.first_name, user.last_name, user.role)


def _refusal_reason(account: Account | None) -> str | None:
    """The reason why an account cannot log in, or None if it can."""
    if account is None:
        return "unknown_email"
    if account.disabled:
        return "user_disabled"
    return None if account.descriptors else "no_passkey"


def _require_ceremony(pending: Pending | None, kind: str, email: EmailAddress | None) -> Pending:
    """`pending`, if it is of this kind and was begun for this email. Raises BadCredential."""
    if pending is None:
        raise BadCredential("no_ceremony")
    if pending.ceremony != kind:
        raise BadCredential("other_ceremony")
    if pending.email is not None:
        _require_email(email, pending.email)
    return pending


def _require_entitled(
    pending: Pending, email: EmailAddress | None, passkey: Passkey, user: Owner
) -> None:
    """Raise BadCredential unless the passkey fits this login and its owner may log in."""
    if email is not None:
        _require_email(email, user.email)
    # WebAuthn L3 §7.2 step 5: the credential id is one of those that were offered.
    if pending.email is not None and passkey.credential_id not in pending.offered:
        raise BadCredential("credential_not_offered")
    if user.disabled:
        raise BadCredential("user_disabled")


def _require_email(given: EmailAddress | None, expected: str) -> None:
    if given is None or given.canonical != expected:
        raise BadCredential("other_email")
