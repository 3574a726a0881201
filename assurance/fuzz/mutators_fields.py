"""What people type: email addresses, names and dates, hostile and merely unusual."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from random import Random
from typing import Literal

from assurance.fuzz.draft import Draft, Kind, registry
from assurance.fuzz.noise import NASTY_TEXTS, pick

MUTATORS, mutator = registry()

FORMS = (Kind.REGISTER_BEGIN,)
NAMED = (Kind.REGISTER_BEGIN, Kind.LOGIN_BEGIN, Kind.REGISTER, Kind.LOGIN)
FORMS_OF_TEXT: Sequence[Literal["NFC", "NFD", "NFKC", "NFKD"]] = ("NFC", "NFD", "NFKC", "NFKD")
NAME_FIELDS = ("first_name", "last_name", "job_title")

EMAIL_CHANGES: Sequence[Callable[[str], str]] = (
    str.upper,
    str.title,
    lambda email: f" {email}",
    lambda email: f"{email}\n",
    lambda email: f"Jane <{email}>",
    lambda email: f'"{email}"@example.com',
    lambda email: f"{email},{email}",
    lambda email: email.replace("@", "@@"),
    lambda email: email.replace("@", "\uff20"),
    lambda email: email.replace("example", "ex\u0430mple"),
    lambda email: email.replace("example", "\uff45xample"),
    lambda email: email.replace("zqmark", "zqmar\u212a"),
    lambda email: email.replace(".com", "\u3002com"),
    lambda email: email.replace("example.com", "[127.0.0.1]"),
    lambda email: email.replace("example.com", "localhost"),
    lambda email: email.replace("example.com", "xn--mnchen-3ya.de"),
    lambda email: email.replace("example.com", "M\u00dcNCHEN.de"),
    lambda email: email.replace("example.com", "mu\u0308nchen.de"),
    lambda email: email.replace("example.com", "xn--" + "a" * 59 + ".com"),
    lambda email: email.replace("example.com", "xn--a.com"),
    lambda email: email.replace("example.com", ".".join(["a" * 60] * 4)),
    lambda email: email.replace("@", "+tag@"),
    lambda email: email.replace("@", ".@"),
    lambda email: email.replace("@", "e\u0301@"),
    lambda email: email.replace("@", "\u00e9@"),
    lambda email: email.replace("@", "\u00df@"),
    lambda email: email.replace("@", "\u1e9e@"),
    lambda email: email.replace("@", "\u0130@"),
    lambda email: email.replace("@", "\u03c2\u03a3@"),
    lambda email: email.replace("@", "\u200b@"),
    lambda email: email.replace("@", "a" * 70 + "@"),
    lambda email: email.replace("@", "\0@"),
    lambda email: email.partition("@")[0],
    lambda email: "@" + email.partition("@")[2],
)
NAMES: Sequence[str] = (
    "Zo\u00eb",
    "Zoe\u0308",
    "  Jos\u00e9\t",
    "\u5f20\u4f1f",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "O'Neil-\u00deorsd\u00f3ttir",
    "\U0001f469\U0001f3fd\u200d\U0001f680",
    "\u1112\u1161\u11ab",
    "\u0344\u0958",
    "A" * 100,
    "A" * 101,
    "e\u0301" * 100,
    "e\u0301" * 101,
    "a" + "\u0301\u0316" * 8000,
    "\u0301" * 5000 + "\u0316" * 5000,
    "\u00a0\u3000",
    "\ue000",
    "\U000e0041",
    "null",
    "0",
)
DATES: Sequence[str] = (
    "2024-02-29",
    "2023-02-29",
    "1900-02-29",
    "1990-02-30",
    "1990-13-01",
    "1990-00-10",
    "0000-01-01",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "1e10-01-01",
    "1850-01-01",
    "1990-1-5",
    "19900115",
    "1990-W03-1",
    "1990-015",
    "15/01/1990",
    "1990-01-15T00:00:00Z",
    "1990-01-15T23:59:59+14:00",
    "1990-01-15T24:00:00Z",
    "1990-01-15T12:00:60Z",
    "1990-01-15 00:00",
    "1990-01-15T00:00:00+99:99",
    "\u0661\u0669\u0669\u0660-\u0660\u0661-\u0661\u0665",
    "\uff11\uff19\uff19\uff10-01-15",
    "-1990-01-15",
    "1990-01-15\n",
    "0" * 20_000,
)


@mutator("fields: email spelled otherwise", NAMED)
def emails(rng: Random, draft: Draft) -> None:
    change = pick(rng, EMAIL_CHANGES)
    draft.on_body.append(lambda body: {**body, "email": change(body.get("email") or "a@b.org")})


@mutator("fields: unusual name", FORMS)
def names(rng: Random, draft: Draft) -> None:
    field, name = pick(rng, NAME_FIELDS), pick(rng, NAMES)
    form = pick(rng, FORMS_OF_TEXT)
    spelled = name if len(name) > 300 else unicodedata.normalize(form, name)
    draft.on_body.append(lambda body: {**body, field: spelled})


@mutator("fields: nasty text in the form", FORMS)
def nasty_fields(rng: Random, draft: Draft) -> None:
    field, text = pick(rng, (*NAME_FIELDS, "email", "date_of_birth")), pick(rng, NASTY_TEXTS)
    draft.on_body.append(lambda body: {**body, field: text})


@mutator("fields: date that is none, or was never", FORMS)
def dates(rng: Random, draft: Draft) -> None:
    text = pick(rng, DATES)
    draft.on_body.append(lambda body: {**body, "date_of_birth": text})
