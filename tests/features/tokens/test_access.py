"""Who may read whose profile, the answer to each reader, and the audit row about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from devtools.authenticator import SoftAuthenticator
from tests.features.http.problems import problem
from tests.support.service import Service, person

NOBODY = "3f0c3c9e-6a2e-4c3e-9d84-0a4c4dcbb3f2"
NIL = "00000000-0000-0000-0000-000000000000"
# No account has one of these ids, and most of them are not UUIDs.
STRANGE_IDS = {
    "a UUID of nobody": NOBODY,
    "a UUID in upper case": NOBODY.upper(),
    "a UUID without hyphens": NOBODY.replace("-", ""),
    "a UUID in braces": f"%7B{NOBODY}%7D",
    "a URN": f"urn:uuid:{NOBODY}",
    "the nil UUID": NIL,
    "a number": "1",
    "a minus sign": "-1",
    "a word": "me",
    "an SQL string": "'%20OR%20'1'='1",
    "a wildcard": "%25",
    "a NUL": "%00",
    "a line feed": "%0A",
    "not UTF-8": "%ff%fe",
    "an emoji": "%F0%9F%94%91",
    "an overlong slash": "%c0%af",
    "4 kB": "a" * 4096,
    "markup": "%3Cscript%3E",
}


@dataclass
class People:
    """Two users and an admin, all logged in."""

    service: Service
    users: dict[str, dict[str, Any]]
    tokens: dict[str, str]

    def read(self, reader: str, path: str) -> httpx.Response:
        return self.service.get(f"/users/{path}", self.tokens[reader])

    def id_of(self, name: str) -> str:
        user_id: str = self.users[name]["id"]
        return user_id

    def last(self) -> dict[str, Any]:
        return self.service.last_audit("user_access")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    with Service(tmp_path_factory.mktemp("people")) as service:
        devices = {name: SoftAuthenticator() for name in ("jane", "bob", "ada")}
        users = {name: service.register(device, person(name)) for name, device in devices.items()}
        service.rows("UPDATE users SET role = 'admin' WHERE email = 'ada@example.com'")
        tokens = {
            name: service.login(device, f"{name}@example.com") for name, device in devices.items()
        }
        yield People(service, users, tokens)


def test_a_user_reads_their_own_profile(people: People) -> None:
    """C6: 200 with the registered profile, and the audit row in the words of the contract."""
    answer = people.read("jane", people.id_of("jane"))
    assert (answer.status_code, answer.json()) == (200, people.users["jane"])
    row = people.last()
    assert row["details"] == "User Jane Doe accessed by Jane Doe (role: user)"
    assert row["success"] == 1
    assert row["reason"] is None


def test_an_admin_reads_anyone(people: People) -> None:
    """C6: the actor is the admin, the subject is the user."""
    answer = people.read("ada", people.id_of("jane"))
    assert (answer.status_code, answer.json()) == (200, people.users["jane"])
    row = people.last()
    assert row["details"] == "User Jane Doe accessed by Ada Doe (role: admin)"
    assert (row["user_id"], row["user_email"]) == (people.id_of("ada"), "ada@example.com")
    assert (row["subject_id"], row["subject_email"]) == (people.id_of("jane"), "jane@example.com")


def test_a_user_who_reads_another_is_refused_and_both_are_named(people: People) -> None:
    """C6: 403 in the words of the contract. The audit row names both accounts."""
    answer = people.read("jane", people.id_of("bob"))
    body = problem(answer, 403, "forbidden")
    assert body["detail"] == "You don't have permission to access this resource"
    assert "www-authenticate" not in answer.headers
    row = people.last()
    assert row["details"] == "Access to user Bob Doe by Jane Doe (role: user) refused: forbidden"
    assert (row["success"], row["reason"]) == (0, "forbidden")
    assert (row["user_id"], row["user_email"]) == (people.id_of("jane"), "jane@example.com")
    assert (row["subject_id"], row["subject_email"]) == (people.id_of("bob"), "bob@example.com")


@pytest.mark.parametrize("user_id", STRANGE_IDS.values(), ids=STRANGE_IDS)
def test_a_user_cannot_tell_who_exists(people: People, user_id: str) -> None:
    """C6 B2: for any other id a user gets the same answer, whether the account exists or not."""
    answer = people.read("jane", user_id)
    real = people.read("jane", people.id_of("bob"))
    given, expected = problem(answer, 403, "forbidden"), problem(real, 403, "forbidden")
    del given["request_id"], expected["request_id"]
    assert given == expected
    assert answer.headers.keys() == real.headers.keys()


@pytest.mark.parametrize("user_id", STRANGE_IDS.values(), ids=STRANGE_IDS)
def test_an_admin_is_told_who_does_not_exist(people: People, user_id: str) -> None:
    """C6 B2: 404, never a 500. A text that is not a UUID is not in the audit row."""
    answer = people.read("ada", user_id)
    assert problem(answer, 404, "user_not_found")["detail"] == "User not found"
    row = people.last()
    assert (row["success"], row["reason"]) == (0, "not_found")
    assert row["user_id"] == people.id_of("ada")
    subject = user_id if user_id in (NOBODY, NIL) else None
    assert row["subject_id"] == subject
    said = f"Access to user {subject or 'unknown'} by Ada Doe (role: admin) refused: not_found"
    assert row["details"] == said


@pytest.mark.parametrize("name", ["jane", "ada"])
def test_an_own_id_in_another_spelling_is_another_id(people: People, name: str) -> None:
    """C6: one spelling for each id, so that no account has two ids in the audit trail."""
    status = {"jane": 403, "ada": 404}[name]
    assert people.read(name, people.id_of(name).upper()).status_code == status


def test_a_profile_is_not_kept_in_any_cache(people: People) -> None:
    """C4: a reader may lose the right to read it at any time."""
    answer = people.read("jane", people.id_of("jane"))
    assert answer.headers["cache-control"] == "no-store"


def test_a_profile_is_no_credential(people: People) -> None:
    """The user object has the members of the contract: no key, no count, no credential id."""
    body = people.read("ada", people.id_of("bob")).json()
    assert body.keys() == {
        *("id", "first_name", "last_name", "email", "email_typed"),
        *("date_of_birth", "job_title", "role", "created_at"),
    }
    assert body["created_at"].endswith("Z")
    assert body["date_of_birth"] == "1990-01-15T00:00:00Z"
