"""What follows an answer of 2xx: it is judged, and a registration has to prove its worth."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

from assurance.fuzz.mutants import Mutant
from assurance.fuzz.oracle import judge_login
from assurance.fuzz.oracle_registration import Attested, judge_registration, judge_token
from assurance.fuzz.wire import Answer

PROFILE_FIELDS = ("first_name", "last_name", "job_title")
RESET = "UPDATE webauthn_credentials SET sign_count = :count WHERE credential_id = :id"
FORGET = "DELETE FROM users WHERE email = :email"


class Violation(Exception):
    """The service has taken what it must refuse, or has made something else of it."""


async def judge(mutant: Mutant, answer: Answer) -> str:
    """The class of an answer below 400: why it was right to give it. Raises Violation."""
    path = mutant.request.path
    if answer.status == 307 or mutant.request.method not in ("GET", "POST"):
        return str(answer.status)
    if path == "/login/complete":
        return await _login(mutant, answer)
    if path == "/register/complete":
        return await _registration(mutant, answer)
    if path == "/register/begin":
        return await _begun_registration(mutant, answer)
    if path == "/login/begin":
        _require(set(_json(answer)) == {"publicKey"}, "login options of another shape")
        return "begun"
    if path.startswith("/users/"):
        return _profile(mutant, answer)
    return "page"


def _require(condition: object, what: str) -> None:
    if not condition:
        raise Violation(what)


def _json(answer: Answer) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer.body)
    return body


async def _login(mutant: Mutant, answer: Answer) -> str:
    genuine = mutant.draft.genuine
    reason = judge_login(genuine, mutant.request.body)
    _require(not reason, f"a mutated assertion was accepted: {reason}")
    _require(_json(answer)["user"]["id"] == genuine.user_id, "logged in as somebody else")
    # A count that a mutator has raised would lock the honest device out.
    await set_sign_count(mutant, genuine.credential_id, genuine.sign_count)
    return "equivalent"


async def set_sign_count(mutant: Mutant, credential_id: bytes, count: int) -> None:
    await mutant.maker.world.write(RESET, count=count, id=credential_id)


def _profile(mutant: Mutant, answer: Answer) -> str:
    genuine, request = mutant.draft.genuine, mutant.request
    reason = judge_token(genuine, request.header(b"authorization"))
    _require(not reason, f"a token was accepted: {reason}")
    _require(request.path == f"/users/{genuine.user_id}", "another path gave a profile")
    _require(_json(answer) == genuine.form, "another profile than was asked for")
    return "equivalent"


async def _begun_registration(mutant: Mutant, answer: Answer) -> str:
    """Finish honestly what a mutated form began: the account must be what the form said."""
    form, maker = json.loads(mutant.request.body), mutant.maker
    options = _json(answer)["publicKey"]
    device, alg = maker.world.newcomer(maker.rng)
    body = {"email": form["email"], "credential": device.create(options, alg=alg)}
    done = await maker.call("/register/complete", body)
    _require(done.status == 201, f"the registration could not be finished: {done.status}")
    _require_fields(form, _json(done))
    return "begun"


def _require_fields(form: Mapping[str, Any], profile: Mapping[str, Any]) -> None:
    for name in PROFILE_FIELDS:
        sent = unicodedata.normalize("NFC", form[name]).strip()
        _require(profile[name] == sent, f"another {name} than was sent")
    day = str(form["date_of_birth"])[:10]
    _require(profile["date_of_birth"] == f"{day}T00:00:00Z", "another date of birth")
    _require(profile["role"] == "user", "another role")
    if form["email"].isascii():
        _require(profile["email"] == form["email"].lower(), "another email than was sent")


async def _registration(mutant: Mutant, answer: Answer) -> str:
    genuine = mutant.draft.genuine
    reason, attested = judge_registration(genuine, mutant.request.body)
    _require(not reason, f"a mutated registration was accepted: {reason}")
    _require_fields(genuine.form, _json(answer))
    device = genuine.device
    ours = attested.key == genuine.key
    if device is None:
        # A public vector, whose private key nobody here has; its id must be free again.
        await mutant.maker.world.write(FORGET, email=genuine.email)
        return "equivalent"
    passkey = device.passkeys[-1]
    passkey.credential_id = attested.credential_id
    passkey.backup_eligible, passkey.backed_up = attested.backup_eligible, attested.backed_up
    status = await _first_login(mutant, attested)
    if ours:
        _require(status == 200, f"the new passkey cannot log in: {status}")
        return "equivalent"
    # Whose key it is nobody can tell; that it is a key, the refusal shows.
    _require(status == 401, f"somebody else's key logs in: {status}")
    return "other key"


async def _first_login(mutant: Mutant, attested: Attested) -> int:
    genuine, maker = mutant.draft.genuine, mutant.maker
    if attested.sign_count == 2**32 - 1:
        # No authenticator counts further: this one has had its last login.
        await set_sign_count(mutant, attested.credential_id, 0)
        attested.sign_count = 0
    assert genuine.device is not None
    passkey = genuine.device.passkeys[-1]
    passkey.sign_count = attested.sign_count
    email = {"email": genuine.email}
    options = await maker.options("/login/begin", email)
    assertion = genuine.device.get(options, passkey=passkey)
    return (await maker.call("/login/complete", {**email, "assertion": assertion})).status
