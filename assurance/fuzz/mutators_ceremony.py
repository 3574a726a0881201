"""The right bytes in the wrong ceremony: challenges that are spent, another's, of another kind."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from assurance.fuzz.draft import CEREMONIES, LOGINS, Draft, registry
from assurance.fuzz.noise import MARKER, pick
from devtools.encoding import b64url
from devtools.flaws import Flaw

MUTATORS, mutator = registry()

SIGNED_LOGINS = tuple(kind for kind in CEREMONIES if kind in LOGINS)


@mutator("ceremony: type of the other one", CEREMONIES)
def other_type(_rng: Random, draft: Draft) -> None:
    draft.flaw = Flaw(type="webauthn.create" if draft.genuine.kind in LOGINS else "webauthn.get")


@mutator("ceremony: challenge nobody gave", CEREMONIES)
def unknown_challenge(rng: Random, draft: Draft) -> None:
    draft.flaw = Flaw(challenge=b64url(rng.randbytes(32)))


@mutator("ceremony: another email, or none", CEREMONIES)
def other_email(rng: Random, draft: Draft) -> None:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        others = (f"{MARKER}.es256@example.com", f"{MARKER}.nobody@example.com", None)
        edited = {**body, "email": pick(rng, others)}
        if pick(rng, (False, False, True)):
            del edited["email"]
        return edited

    draft.on_body.append(change)


@mutator("ceremony: credential id of another", SIGNED_LOGINS)
def other_credential(rng: Random, draft: Draft) -> None:
    draft.flaw = Flaw(credential_id=pick(rng, (rng.randbytes(32), rng.randbytes(16), b"\0")))


@mutator("ceremony: sent to the other endpoint", CEREMONIES)
def other_endpoint(_rng: Random, draft: Draft) -> None:
    registers = draft.genuine.kind not in LOGINS
    old, new = ("credential", "assertion") if registers else ("assertion", "credential")

    def change(body: dict[str, Any]) -> dict[str, Any]:
        named = {"email": f"{MARKER}.es256@example.com", **body}
        named[new] = named.pop(old)
        return named

    target = "/login/complete" if registers else "/register/complete"
    draft.on_body.append(change)
    draft.request = replace(draft.request, target=target)


@mutator("ceremony: already spent", CEREMONIES)
def spent(_rng: Random, draft: Draft) -> None:
    draft.genuine.live = False
    draft.sent_before = True
