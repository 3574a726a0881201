"""Judges one response: what must hold for every response, and what an accepted mutant must mean."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from assurance.fuzz.asgi_client import CRASHED, RawRequest, RawResponse, first_header
from assurance.fuzz.byte_mutations import MARKER
from assurance.fuzz.oracle import Attested, judge_login, judge_registration, judge_token
from assurance.fuzz.request_builder import Draft
from assurance.fuzz.seeds import Maker

PROBLEM = {"type", "title", "status", "detail", "code", "request_id"}
FIELD_ERROR = {"pointer", "code", "message"}
ALWAYS = (
    b"x-request-id", b"x-content-type-options", b"x-frame-options", b"content-security-policy",
    b"cache-control", b"referrer-policy",
)  # fmt: skip
# A client that sends a request id gets it back.
ECHOING = (b"x-request-id",)
REDIRECTS = (b"/register/begin", b"/login/begin")
SET_COUNT = "UPDATE webauthn_credentials SET sign_count = :count WHERE credential_id = :id"
DELETE_USER = "DELETE FROM users WHERE email = :email"


class Violation(Exception):
    """The service accepted what it must refuse, or changed its meaning."""


class Mutant(NamedTuple):
    """One broken request, and what is needed to judge its response."""

    mutator: str
    draft: Draft
    request: RawRequest
    maker: Maker


def violations(request: RawRequest, answer: RawResponse) -> Iterator[str]:
    """Each rule for all responses that `answer` breaks, in a few words."""
    if answer.status == CRASHED:
        yield f"an exception left the application: {answer.body.decode()}"
        return
    if answer.status >= 500:
        yield f"status {answer.status}"
    for name in ALWAYS:
        if first_header(answer.headers, name) is None:
            yield f"no {name.decode()} header"
    if answer.status >= 400 and request.method != "HEAD":
        yield from _problem_violations(answer)
    if answer.status >= 300:
        if MARKER.encode() in answer.body:
            yield "an error that echoes what was sent"
        for name, value in answer.headers:
            if MARKER.encode() in value and name.lower() not in ECHOING:
                yield f"a {name.decode()} header that echoes what was sent"
    if answer.status == 405 and first_header(answer.headers, b"allow") is None:
        yield "405 without Allow"
    if answer.status == 307 and first_header(answer.headers, b"location") not in REDIRECTS:
        yield "a redirect elsewhere"


def _problem_violations(answer: RawResponse) -> Iterator[str]:
    if first_header(answer.headers, b"content-type") != b"application/problem+json":
        yield "an error that is not application/problem+json"
        return
    body: dict[str, Any] = json.loads(answer.body)
    if set(body) != PROBLEM | ({"errors"} if answer.status == 422 else set()):
        yield f"an error with the members {sorted(body)}"
        return
    texts = (body[name] for name in PROBLEM - {"status"})
    if body["status"] != answer.status or not all(isinstance(it, str) and it for it in texts):
        yield "an error whose members are not what they should be"
    if body["request_id"].encode() != first_header(answer.headers, b"x-request-id"):
        yield "an error with another request id than its header"
    for error in body.get("errors", ()):
        if set(error) != FIELD_ERROR or not all(isinstance(it, str) for it in error.values()):
            yield "a field error of another shape"


def error_code(answer: RawResponse) -> str:
    """The machine-readable code of an error response; "" for any other response."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return ""
    return str(body.get("code", "")) if isinstance(body, dict) else ""


def status_class(answer: RawResponse) -> str:
    """The report's column for a response that is an error."""
    if answer.status == CRASHED:
        return "crash"
    return "5xx" if answer.status >= 500 else str(answer.status)


async def judge(mutant: Mutant, answer: RawResponse) -> str:
    """Why a status below 400 was right: a column of the report. Raises Violation."""
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


def _json(answer: RawResponse) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer.body)
    return body


async def _login(mutant: Mutant, answer: RawResponse) -> str:
    expected = mutant.draft.expected
    reason = judge_login(expected, mutant.request.body)
    _require(not reason, f"a mutated assertion was accepted: {reason}")
    _require(_json(answer)["user"]["id"] == expected.user_id, "logged in as somebody else")
    # A count that a mutator raised would lock the honest device out.
    await _set_sign_count(mutant, expected.credential_id, expected.sign_count)
    return "equivalent"


async def _set_sign_count(mutant: Mutant, credential_id: bytes, count: int) -> None:
    await mutant.maker.world.write(SET_COUNT, count=count, id=credential_id)


def _profile(mutant: Mutant, answer: RawResponse) -> str:
    expected, request = mutant.draft.expected, mutant.request
    reason = judge_token(expected, first_header(request.headers, b"authorization"))
    _require(not reason, f"a token was accepted: {reason}")
    _require(request.path == f"/users/{expected.user_id}", "another path gave a profile")
    _require(_json(answer) == expected.form, "another profile than was asked for")
    return "equivalent"


async def _begun_registration(mutant: Mutant, answer: RawResponse) -> str:
    """Complete the registration honestly: the account must be what the mutated form said."""
    form, maker = json.loads(mutant.request.body), mutant.maker
    device, alg = maker.world.new_device(maker.rng)
    credential = device.create(_json(answer)["publicKey"], alg=alg)
    done = await maker.call(
        "/register/complete", {"email": form["email"], "credential": credential}
    )
    _require(done.status == 201, f"the registration could not be finished: {done.status}")
    _require_fields(form, _json(done))
    return "begun"


def _require_fields(form: Mapping[str, Any], profile: Mapping[str, Any]) -> None:
    for name in ("first_name", "last_name", "job_title"):
        sent = unicodedata.normalize("NFC", form[name]).strip()
        _require(profile[name] == sent, f"another {name} than was sent")
    day = str(form["date_of_birth"])[:10]
    _require(profile["date_of_birth"] == f"{day}T00:00:00Z", "another date of birth")
    _require(profile["role"] == "user", "another role")
    if form["email"].isascii():
        _require(profile["email"] == form["email"].lower(), "another email than was sent")


async def _registration(mutant: Mutant, answer: RawResponse) -> str:
    expected = mutant.draft.expected
    reason, attested = judge_registration(expected, mutant.request.body)
    _require(not reason, f"a mutated registration was accepted: {reason}")
    _require_fields(expected.form, _json(answer))
    if expected.device is None:
        # The private key of a public vector is not known here. Its id must be free again.
        await mutant.maker.world.write(DELETE_USER, email=expected.email)
        return "equivalent"
    status = await _first_login(mutant, attested)
    if attested.key == expected.key:
        _require(status == 200, f"the new passkey cannot log in: {status}")
        return "equivalent"
    # The mutator replaced the key by another valid one, so the device's signature is refused.
    _require(status == 401, f"somebody else's key logs in: {status}")
    return "other key"


async def _first_login(mutant: Mutant, attested: Attested) -> int:
    """The status of a login with what was registered."""
    expected, maker = mutant.draft.expected, mutant.maker
    assert expected.device is not None
    assert expected.email is not None
    if attested.sign_count == 2**32 - 1:
        # No authenticator can count further, so no login could follow.
        await _set_sign_count(mutant, attested.credential_id, 0)
        attested.sign_count = 0
    passkey = expected.device.passkeys[-1]
    passkey.credential_id, passkey.sign_count = attested.credential_id, attested.sign_count
    passkey.backup_eligible, passkey.backed_up = attested.backup_eligible, attested.backed_up
    return (await maker.log_in(expected.email, expected.device, passkey)).status
