"""Timing tells nothing because there is nothing to time: known or not, the work is the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import core.relying_party.authentication
from core.database.compiled_statements import Statement
from core.database.interface import Result, Transaction
from core.database.postgres import PostgresTransaction
from core.database.sqlite_connection import SqliteTransaction
from core.relying_party import cose_key as cose
from core.relying_party.decoys import Decoys
from devtools.authenticator import OMIT, Flaw, SoftAuthenticator
from devtools.cose import EDDSA, ES256, RS256
from devtools.encoding import from_b64url
from devtools.options import creation_options
from tests.support import production
from tests.support.service import JANE, Service

UNKNOWN = "nobody@example.com"


def work_of(service: Service, monkeypatch: pytest.MonkeyPatch, email: str) -> list[str]:
    """The statements and decoys that one `/login/begin` for `email` costs, in their order."""
    work: list[str] = []
    transaction = PostgresTransaction if production.is_chosen() else SqliteTransaction
    make_decoy = Decoys.of
    run: Any = transaction.execute

    def counted(self: Decoys, address: str) -> tuple[tuple[bytes, str], ...]:
        work.append("a decoy")
        return make_decoy(self, address)

    def noted(
        self: Transaction, statement: Statement, values: Mapping[str, Any] | None = None
    ) -> Result:
        work.append(str(statement))
        found: Result = run(self, statement, values or {})
        return found

    monkeypatch.setattr(Decoys, "of", counted)
    monkeypatch.setattr(transaction, "execute", noted)
    service.begin_login(email)
    monkeypatch.undo()
    return work


@pytest.mark.parametrize(
    "change", ["", "DELETE FROM webauthn_credentials", "UPDATE users SET disabled = 1"]
)
def test_a_login_begin_costs_the_same_for_everyone(
    service: Service, device: SoftAuthenticator, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """D2: the same statements, and one decoy, whoever is asked for."""
    service.register(device)
    if change:
        service.rows(change)
    known = work_of(service, monkeypatch, JANE["email"])
    unknown = work_of(service, monkeypatch, UNKNOWN)
    assert known == unknown
    assert "a decoy" in known


@pytest.mark.parametrize("alg", [ES256, EDDSA, RS256])
def test_a_refused_signature_costs_the_same_whoever_has_the_passkey(
    service: Service, device: SoftAuthenticator, monkeypatch: pytest.MonkeyPatch, alg: int
) -> None:
    """D2: a verification under each algorithm, for a passkey of any kind and for a decoy."""
    service.register(device, alg=alg)
    verified: list[int] = []
    verify = cose.verify_signature

    def noted(public_key: bytes, *rest: bytes) -> None:
        verified.append(cose.algorithm_of(public_key))
        verify(public_key, *rest)

    monkeypatch.setattr(core.relying_party.authentication, "verify_signature", noted)
    for email in (JANE["email"], UNKNOWN):
        options = service.begin_login(email)
        offered = from_b64url(options["allowCredentials"][0]["id"])
        flaw = Flaw(credential_id=offered, ignores_options=True, user_handle=OMIT)
        stranger = SoftAuthenticator()
        stranger.create(creation_options())
        verified.clear()
        assert service.complete_login(email, stranger.get(options, flaw=flaw)).status_code == 401
        assert sorted(verified) == sorted([ES256, EDDSA, RS256])
