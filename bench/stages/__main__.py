"""The CPU time of a login, stage by stage: `python -m bench.stages`.

Each stage is called alone, thousands of times; the figure is the best of several rounds. The sum is
less than a login costs: the server, the event loop and cache misses between stages are not in it.
`make bench` measures the whole.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import timeit
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import audit
from audit import Caller, Principal
from core import strict_json
from core.clock import SystemClock
from core.database.schema_version import upgrade
from core.database.sqlite import SqliteDatabase
from core.database.sqlite_connection import SqliteTransaction
from core.relying_party.ceremonies import RelyingParty
from core.relying_party.credential_record import CredentialRecord
from core.relying_party.decoys import Decoys
from core.relying_party.options import CredentialDescriptor
from core.relying_party.response_json import (
    parse_client_data,
    read_authentication,
    read_registration,
)
from core.settings import Settings
from core.tokens.access_tokens import Subject, Tokens
from devtools.authenticator import SoftAuthenticator
from schemas import LoginComplete, Options
from services.rate_limits import RateLimits
from stores import credentials, users
from stores.challenges.interface import Pending, new_challenge
from stores.challenges.memory import MemoryChallenges
from stores.credentials import CredentialRow
from stores.rate_counters.memory import MemoryCounters
from stores.users import UserRow

ROUNDS, CALLS = 7, 1000
EMAIL, AT = "jane@example.com", datetime.now(UTC)
CALLER = Caller("127.0.0.1", "Mozilla/5.0 (X11; Linux x86_64)", "0" * 36, AT)
USER = UserRow("0" * 36, "Jane", "Doe", EMAIL, EMAIL, AT, "Engineer", "user", 0, AT)
Stage = Callable[[], Any]


def microseconds(stage: Stage) -> float:
    """The microseconds of one call in the best round."""
    return min(timeit.repeat(stage, number=CALLS, repeat=ROUNDS)) / CALLS * 1e6


def step(work: Any) -> None:
    """Run a coroutine that does not wait for anything."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise RuntimeError("it waits for something")


def in_memory(settings: Settings) -> Iterator[tuple[str, Stage]]:
    """The stages that touch no disk."""
    clock = SystemClock()
    party, tokens, decoys = RelyingParty(settings, clock), Tokens(settings, clock), Decoys(settings)
    challenges, device = MemoryChallenges(clock, 1000), SoftAuthenticator(counter=False)
    rate_limits = RateLimits(
        settings,
        None,  # type: ignore[arg-type]
        MemoryCounters(clock),
        lambda *_: None,
    )
    challenge = new_challenge()
    asked = party.creation_options(
        challenge=challenge, user_id=USER.id, name=EMAIL, display_name="Jane Doe"
    )
    made = device.create(asked)
    allowed = [CredentialDescriptor(b"i" * 32, ("internal",))]
    assertion = device.get(party.request_options(challenge=challenge, allowed=()))
    body = json.dumps({"email": EMAIL, "assertion": assertion}).encode()
    parsed, response = strict_json.loads(body), read_authentication(assertion)
    kept = party.verify_registration(read_registration(made), expected_challenge=challenge)
    stored = CredentialRecord(kept.public_key, 0, False, response.user_handle or b"")

    def options() -> bytes:
        shown = party.request_options(challenge=challenge, allowed=allowed)
        answer = Options(publicKey=shown)
        return answer.__pydantic_serializer__.to_json(answer)

    yield "parse the body (complete)", lambda: strict_json.loads(body)
    yield "validate it", lambda: LoginComplete.model_validate(parsed)
    yield (
        "rate limits, three counters",
        lambda: step(rate_limits.enforce(CALLER, "login_begin", EMAIL)),
    )
    yield "put a challenge", lambda: step(challenges.put(Pending("login", EMAIL)))
    yield "decoys, made for everyone", lambda: decoys.of(EMAIL)
    yield "options, serialised", options
    yield "peek at the challenge", lambda: parse_client_data(assertion)
    yield "take the credential apart", lambda: read_authentication(assertion)
    yield (
        "verify (ES256 and all checks)",
        lambda: party.verify_authentication(
            response,
            expected_challenge=challenge,
            credential_record=stored,
            require_user_handle=False,
        ),
    )
    yield "issue the token", lambda: tokens.issue(Subject(USER.id, EMAIL, "Jane", "Doe", "user"))


def on_disk(tx: SqliteTransaction) -> Iterator[tuple[str, Stage]]:
    """The statements, in a transaction that is not committed."""
    users.add(tx, USER)
    key = CredentialRow("1" * 36, USER.id, b"i" * 32, b"k" * 77, 0, "", None, 0, 0, 1, AT)
    credentials.add(tx, key)
    done = audit.LoginCompleted(Principal.of(USER))
    yield "read the account", lambda: credentials.account_of(tx, EMAIL)
    yield "read the passkey and its owner", lambda: credentials.with_owner(tx, b"i" * 32)
    yield (
        "move the sign count",
        lambda: tx.execute(*credentials.used(key.id, sign_count=0, backed_up=False, moment=AT)),
    )
    yield "write an audit row", lambda: audit.record(tx, CALLER, done)


def show(name: str, stage: Stage) -> None:
    print(f"{name:<32} {microseconds(stage):7.1f} us")


async def main() -> None:
    settings = Settings(rate_limit_address=10**9, rate_limit_email=10**9, rate_limit_global=10**9)
    for name, stage in in_memory(settings):
        show(name, stage)
    with tempfile.TemporaryDirectory() as folder:
        db = SqliteDatabase(f"sqlite:///{Path(folder)}/app.db", upgrade)
        await db.start()

        def unit(tx: Any) -> None:
            for name, stage in on_disk(tx):
                show(name, stage)

        await db.write(unit)
        await db.stop()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
