"""What a request costs, in things that can be counted: no clock, so it cannot flake.

Each bound is what it takes today. Whoever raises one says in the commit what it buys.
"""

from __future__ import annotations

import gc
import json
import sys
from collections import Counter
from types import FrameType
from typing import Any, cast

import pytest

import core.relying_party.authentication
from core import strict_json
from core.database.sqlite_connection import SqliteTransaction
from core.tokens.access_tokens import Tokens
from devtools.authenticator import SoftAuthenticator
from tests.support import production
from tests.support.service import JANE, Service

pytestmark = pytest.mark.skipif(production.is_chosen(), reason="counts the work of SQLite's writer")

Work = Counter[str]
# Begin, complete.
MOST_CALLS = (366, 500)


@pytest.fixture
def work(service: Service, monkeypatch: pytest.MonkeyPatch) -> Work:
    """Counts statements, commits, parsed documents, signatures and tokens, from now on."""
    counted: Work = Counter()

    def count(owner: Any, name: str, what: str) -> None:
        original = getattr(owner, name)

        def counting(*arguments: Any, **named: Any) -> Any:
            counted[what] += 1
            return original(*arguments, **named)

        monkeypatch.setattr(owner, name, counting)

    count(SqliteTransaction, "_run", "statements")
    count(cast(Any, service.parts.db)._writer, "_commit", "commits")
    count(strict_json, "loads", "documents")
    count(core.relying_party.authentication, "verify_signature", "signatures")
    count(Tokens, "issue", "tokens made")
    count(Tokens, "verify", "tokens read")
    return counted


def test_a_login_costs_five_statements_two_commits_and_one_signature(
    service: Service, device: SoftAuthenticator, work: Work
) -> None:
    service.register(device)
    work.clear()
    service.login(device)
    assert work == {
        # The account and an audit row; the passkey, its sign count and an audit row.
        "statements": 5,
        "commits": 2,
        # Two bodies; the client data.
        "documents": 3,
        "signatures": 1,
        "tokens made": 1,
    }


def test_a_usernameless_login_needs_no_look_at_an_account_to_begin(
    service: Service, device: SoftAuthenticator, work: Work
) -> None:
    service.register(device)
    work.clear()
    service.login(device, None)
    assert (work["statements"], work["commits"]) == (4, 2)


def test_a_registration_costs_five_statements_and_two_commits(
    service: Service, device: SoftAuthenticator, work: Work
) -> None:
    service.register(device)
    # Whether the email is free and an audit row; the user, the passkey and an audit row.
    assert (work["statements"], work["commits"], work["documents"]) == (5, 2, 3)
    assert work["signatures"] == 0


def test_ones_own_profile_costs_two_statements_and_one_commit(
    service: Service, device: SoftAuthenticator, work: Work
) -> None:
    user = service.register(device)
    token = service.login(device)
    work.clear()
    service.get(f"/users/{user['id']}", token)
    assert (work["statements"], work["commits"], work["tokens read"]) == (2, 1, 1)


def test_many_logins_at_once_share_their_commits(
    service: Service, device: SoftAuthenticator, work: Work
) -> None:
    service.register(device)
    work.clear()
    service.together([lambda client: client.post("/login/begin", json={})] * 64)
    assert work["statements"] == 64
    assert work["commits"] <= 3


async def calls_of(service: Service, path: str, body: Any) -> int:
    """How many Python functions one request calls, the server's own not counted."""
    raw, calls, statuses = json.dumps(body).encode(), 0, list[int]()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": raw, "more_body": False}

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 0))

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(raw))]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    sys.setprofile(note)
    try:
        await service.app({**scope, "query_string": b"", "root_path": ""}, receive, send)
    finally:
        sys.setprofile(None)
    assert statuses[0] == 200
    return calls


def test_a_login_makes_so_many_calls_and_no_more(
    service: Service, device: SoftAuthenticator
) -> None:
    """Of Python functions, the service's own and its libraries'."""
    service.register(device)
    service.login(device)
    email = JANE["email"]
    begins, completes = [], []
    # On a busy machine other work of the event loop is counted now and then: the least is the cost.
    for _ in range(3):
        begins.append(service.run(calls_of(service, "/login/begin", {"email": email})))
        body = {"email": email, "assertion": device.get(service.begin_login())}
        completes.append(service.run(calls_of(service, "/login/complete", body)))
    assert min(begins) <= MOST_CALLS[0]
    assert min(completes) <= MOST_CALLS[1]


def test_a_login_leaves_nothing_to_the_garbage_collector(
    service: Service, device: SoftAuthenticator
) -> None:
    """A function that calls itself by name holds itself, and all of a request with it."""
    service.register(device)
    service.login(device)
    email = JANE["email"]

    async def both() -> int:
        gc.collect()
        await calls_of(service, "/login/begin", {"email": email})
        body = {"email": email, "assertion": device.get(begun)}
        await calls_of(service, "/login/complete", body)
        return gc.collect()

    begun = service.begin_login()
    gc.disable()
    try:
        assert service.run(both()) == 0
    finally:
        gc.enable()
