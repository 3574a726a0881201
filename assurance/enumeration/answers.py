"""D1: compares everything in the answers of `/login/begin`, except their random bytes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import httpx

from assurance.enumeration.population import People
from assurance.enumeration.statistics import chance
from devtools.encoding import from_b64url

# These headers differ in every answer.
VOLATILE = ("date", "x-request-id")
SIGNIFICANT = 0.001


def features(answer: httpx.Response) -> dict[str, Hashable]:
    """What an attacker sees, without random bytes. Each feature must have one distribution."""
    options = answer.json()["publicKey"]
    allowed = options["allowCredentials"]
    headers = tuple(
        (name, "" if name in VOLATILE or name == "content-length" else value)
        for name, value in answer.headers.multi_items()
    )
    return {
        "status": answer.status_code,
        "headers, in their order": headers,
        "members, in their order": _skeleton(answer.json()),
        "length of the body": len(answer.content),
        "length of the challenge": len(options["challenge"]),
        "number of credentials": len(allowed),
        "lengths of ids": tuple(len(from_b64url(each["id"])) for each in allowed),
        "transports": tuple(tuple(each.get("transports", ("(none)",))) for each in allowed),
        "id and transports": json.dumps(
            [[len(each["id"]), each.get("transports")] for each in allowed]
        ),
    }


def _skeleton(value: Any) -> Hashable:
    """The names and types of a JSON value, at every level."""
    if isinstance(value, dict):
        return tuple((name, _skeleton(member)) for name, member in value.items())
    if isinstance(value, list):
        return tuple(_skeleton(member) for member in value)
    return type(value).__name__


def differences(url: str, people: People) -> Iterator[str]:
    """How the answers for each kind of account differ from those for unknown emails."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        seen = {kind: _ask(client, emails) for kind, emails in people.emails.items()}
        yield from _unstable(client, people)
    for kind, answers in seen.items():
        for feature in answers[0]:
            one = Counter(answer[feature] for answer in answers)
            unknown = Counter(answer[feature] for answer in seen["unknown"])
            if one.keys() != unknown.keys() and len(one | unknown) == 2:
                yield f"{kind}: {feature}: {dict(one)}, for unknown emails {dict(unknown)}"
            elif chance(one, unknown) < SIGNIFICANT:
                yield f"{kind}: {feature} is distributed otherwise: {dict(one)}, {dict(unknown)}"


def _ask(client: httpx.Client, emails: list[str]) -> list[dict[str, Hashable]]:
    return [features(client.post("/login/begin", json={"email": email})) for email in emails]


def offers(url: str, emails: Sequence[str]) -> list[Any]:
    """What each of these emails is offered."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        answers = [client.post("/login/begin", json={"email": email}) for email in emails]
    return [answer.json()["publicKey"]["allowCredentials"] for answer in answers]


def _unstable(client: httpx.Client, people: People) -> Iterator[str]:
    """The same email, asked twice or in capitals, must get the same credentials."""
    for kind, emails in people.emails.items():
        for email in emails[:20]:
            answers = [
                client.post("/login/begin", json={"email": spelled}).json()["publicKey"]
                for spelled in (email, email, email.upper())
            ]
            if any(each["allowCredentials"] != answers[0]["allowCredentials"] for each in answers):
                yield f"{kind}: other credentials at the second look"
            if len({each["challenge"] for each in answers}) != len(answers):
                yield f"{kind}: the same challenge twice"
