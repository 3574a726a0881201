"""Rotation of JWT_SECRET: the previous secret still verifies, so that no session ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import jwt
import pytest

from core.clock import SystemClock
from core.settings import Settings
from core.tokens.access_tokens import BadToken, Tokens
from devtools.authenticator import SoftAuthenticator
from tests.features.http.problems import problem
from tests.features.tokens.forge import Genuine, mac
from tests.support import production
from tests.support.service import Service

OLD = "the-old-secret-of-more-than-thirty-two-bytes"
NEW = "the-new-secret-of-more-than-thirty-two-bytes"
DECOYS = "the-decoy-secret-of-more-than-thirty-two-bytes"
BEFORE = {"jwt_secret": OLD}
READY = {"jwt_secret": OLD, "jwt_secret_previous": NEW}
DURING = {"jwt_secret": NEW, "jwt_secret_previous": OLD}
AFTER = {"jwt_secret": NEW}


def signed_with(text: str, secret: str) -> bool:
    header, claims, signature = text.split(".")
    return signature == mac(f"{header}.{claims}", secret.encode())


Restart = Callable[..., Service]


@pytest.fixture
def restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Starts one service again with other settings. Its database stays."""
    # The database has to stay in the folder: always on SQLite, also in a run on PostgreSQL.
    monkeypatch.setattr(production, "is_chosen", lambda: False)
    with ExitStack() as stack:

        def start(**settings: Any) -> Service:
            stack.close()
            return stack.enter_context(Service(tmp_path, **settings))

        yield start


def test_the_documented_procedure_ends_no_session(
    restart: Restart, device: SoftAuthenticator
) -> None:
    """C5: old tokens are valid until the old secret is removed, new ones at once."""
    service = restart(**BEFORE)
    profile = f"/users/{service.register(device)['id']}"
    old = service.login(device)
    service = restart(**DURING)
    new = service.login(device)
    assert [service.get(profile, token).status_code for token in (old, new)] == [200, 200]
    service = restart(**AFTER)
    assert service.get(profile, new).status_code == 200
    problem(service.get(profile, old), 401, "invalid_token")
    assert service.last_audit("token_rejected")["reason"] == "InvalidSignature"


def test_the_previous_secret_never_signs(restart: Restart, device: SoftAuthenticator) -> None:
    """C5: at every step of the rotation."""
    for secrets in (DURING, READY):
        service = restart(**secrets)
        if secrets is DURING:
            service.register(device)
        token = service.login(device)
        assert signed_with(token, secrets["jwt_secret"])
        assert not signed_with(token, secrets["jwt_secret_previous"])


def test_replicas_that_are_replaced_one_by_one_take_one_anothers_tokens(
    restart: Restart, device: SoftAuthenticator
) -> None:
    """C5: first every replica gets the new secret as the previous one, then the two are swapped."""
    service = restart(**READY)
    profile = f"/users/{service.register(device)['id']}"
    by_the_old_replica = service.login(device)
    service = restart(**DURING)
    by_the_new_replica = service.login(device)
    assert service.get(profile, by_the_old_replica).status_code == 200
    service = restart(**READY)
    assert service.get(profile, by_the_new_replica).status_code == 200


def test_a_token_signed_by_neither_is_refused_as_ever(
    restart: Restart, device: SoftAuthenticator
) -> None:
    """C5: the usual 401, and one audit row."""
    service = restart(**DURING)
    user = service.register(device)
    good = Genuine(service.login(device))
    header, claims, _ = good.parts
    forged = f"{header}.{claims}.{mac(f'{header}.{claims}', b'a-third-secret-of-anyone' * 2)}"
    refusals = [service.get(f"/users/{user['id']}", token) for token in (forged, "nonsense")]
    bodies = [{**answer.json(), "request_id": ""} for answer in refusals]
    assert bodies[0] == bodies[1]
    assert {answer.headers["www-authenticate"] for answer in refusals} == {
        'Bearer error="invalid_token"'
    }
    assert [row["reason"] for row in service.audit("token_rejected")] == [
        "InvalidSignature",
        "Decode",
    ]


def test_only_a_signature_that_does_not_hold_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """C5: one verification for a valid or malformed token, two for a wrong signature."""
    tokens = Tokens(Settings(**DURING), SystemClock())
    tried: list[bytes] = []
    decode = jwt.decode_complete

    def counted(token: str, key: bytes, **options: Any) -> dict[str, Any]:
        tried.append(key)
        return decode(token, key, **options)

    monkeypatch.setattr(jwt, "decode_complete", counted)

    def keys_for(text: str) -> list[str]:
        tried.clear()
        with pytest.raises(BadToken):
            tokens.verify(text)
        return [key.decode() for key in tried]

    claims = {"sub": "x"}
    assert keys_for(jwt.encode(claims, NEW, "HS256")) == [NEW]
    assert keys_for(jwt.encode(claims, OLD, "HS256")) == [NEW, OLD]
    assert keys_for(jwt.encode(claims, NEW[::-1], "HS256")) == [NEW, OLD]
    assert keys_for("nonsense") == [NEW]


def decoys(service: Service) -> Any:
    return service.begin_login("nobody@example.com")["allowCredentials"]


@pytest.mark.parametrize(
    ("before", "during", "same"),
    [(None, None, False), (DECOYS, DECOYS, True), (None, OLD, True)],
    ids=["from JWT_SECRET", "of their own", "the old JWT_SECRET, as documented"],
)
def test_decoys_survive_a_rotation_if_they_have_a_secret_of_their_own(
    restart: Restart, before: str | None, during: str | None, same: bool
) -> None:
    """D1: without DECOY_SECRET they come from JWT_SECRET, and change with it: the documents and
    the doctor say so."""
    first = decoys(restart(**BEFORE, decoy_secret=before))
    assert (decoys(restart(**DURING, decoy_secret=during)) == first) is same
