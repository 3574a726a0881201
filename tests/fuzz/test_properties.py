"""What holds for every email address, name and date of birth, and not only for some."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from assurance.support.server_process import temporary_folder
from core.email_address import PLAIN_ADDRESS, EmailAddress
from devtools.authenticator import SoftAuthenticator
from schemas import RegisterBegin
from tests.fuzz import strategies as typed
from tests.fuzz.schemathesis_hooks import INVISIBLE
from tests.fuzz.strategies import form, over_http, steady
from tests.support.service import Service

JOINERS = "\u200c\u200d"
counter = itertools.count()


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with temporary_folder() as folder, Service(folder, danger_rate_limits_off=True) as running:
        yield running


def canonical(address: str) -> str | None:
    """The canonical form, if the address is taken."""
    with contextlib.suppress(ValueError):
        return EmailAddress(address).canonical
    return None


def is_invisible(char: str) -> bool:
    return unicodedata.category(char)[0] == "C" or char in INVISIBLE


@steady
@given(typed.any_addresses)
@example("straße@example.com")
@example("ß" * 64 + "@example.com")
@example("ΐ@example.com")
@example("ᾴ@παράδειγμα.ελ")
@example("İ" * 84 + "@x.de")
def test_the_canonical_form_of_an_address_is_its_own(address: str) -> None:
    """B4: or an account could not be addressed as the service itself shows it."""
    found = canonical(address)
    assume(found is not None)
    assert found is not None
    assert canonical(found) == found


@steady
@given(typed.addresses, st.sampled_from(sorted(typed.SPELLINGS)))
def test_every_spelling_of_an_address_has_one_canonical_form(address: str, how: str) -> None:
    """B4: one account for one mailbox."""
    found = canonical(address)
    assume(found is not None)
    with contextlib.suppress(UnicodeError):  # some domains have no IDNA 2003 form
        assert canonical(typed.SPELLINGS[how](address)) == found


@steady
@given(typed.any_addresses)
def test_an_address_that_is_taken_shows_all_it_has(address: str) -> None:
    """B4: no control or invisible characters, no spaces, one at sign, an ASCII domain."""
    found = canonical(address)
    assume(found is not None)
    assert found is not None
    for text in (address, found):
        assert not any(is_invisible(char) or char.isspace() for char in text)
    local, at, domain = found.rpartition("@")
    assert local
    assert at
    assert domain.isascii()
    assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain)


@steady
@given(typed.addresses, st.sampled_from(sorted(typed.DISGUISES)))
def test_a_disguised_address_is_refused(address: str, how: str) -> None:
    """B4: whatever honest address it is made from."""
    assume(canonical(address) is not None)
    assert canonical(typed.DISGUISES[how](address)) is None


@over_http
@given(email=typed.any_addresses)
def test_no_address_is_too_much_for_the_service(service: Service, email: str) -> None:
    """B4: taken or refused by the rule, and the trail has the canonical form."""
    found = canonical(email)
    answer = service.post("/login/begin", {"email": email})
    assert answer.status_code == (200 if found else 422)
    if found:
        assert service.last_audit("login_begin")["user_email"] == found


def expected_name(name: str) -> str | None:
    """What is kept of a name; None if it must be refused. Said again, in other words."""
    kept = unicodedata.normalize("NFC", name).strip()
    visible = [char for char in kept if char not in JOINERS]
    sound = any(not char.isspace() for char in visible) and not any(map(is_invisible, visible))
    return kept if sound and len(kept) <= 100 else None


@over_http
@given(first=typed.names, last=typed.names, title=typed.names)
@example(first="Zoe\u0308", last="\u0645\u06cc\u200c\u062e", title="\u1112\u1161\u11ab")
def test_a_name_comes_back_as_it_was_given(
    service: Service, first: str, last: str, title: str
) -> None:
    """B7: through registration, database and profile; NFC, without spaces around it."""
    sent = {"first_name": first, "last_name": last, "job_title": title}
    email = f"name{next(counter)}@example.com"
    expected = {field: expected_name(name) for field, name in sent.items()}
    answer = service.post("/register/begin", form(**sent, email=email))
    if None in expected.values():
        assert answer.status_code == 422
        wrong = {error["pointer"].removeprefix("/") for error in answer.json()["errors"]}
        # NUL is refused with the whole body.
        unread = any("\0" in name for name in sent.values())
        refused = {field for field, name in expected.items() if name is None}
        assert wrong == ({""} if unread else refused)
        return
    assert answer.status_code == 200
    device = SoftAuthenticator()
    credential = device.create(answer.json()["publicKey"])
    assert service.complete_registration(email, credential).status_code == 201
    token = service.login(device, email)
    profile = service.get(f"/users/{_id_of(service, email)}", token).json()
    assert {field: profile[field] for field in sent} == expected


def _id_of(service: Service, email: str) -> str:
    (user,) = service.rows("SELECT id FROM users WHERE email = ?", email)
    return str(user["id"])


def expected_day(born: str) -> date | None:
    """The day of birth; None if it must be refused. Said again, in other words."""
    found = re.fullmatch(
        r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9:.]+)(Z|[+-][0-9]{2}:[0-9]{2})?)?", born
    )
    if not found or len((found[2] or "").partition(".")[2]) > 6:
        return None
    try:
        day = date.fromisoformat(found[1])
        time.fromisoformat(found[2] or "00:00")
    except ValueError:
        return None
    today = datetime.now(UTC).date()
    return None if day > today or today.year - day.year > 130 else day


@steady
@given(typed.dates)
@example("2000-02-29")
@example("1900-02-29")
def test_a_date_is_taken_if_somebody_can_have_been_born_on_it(born: str) -> None:
    """B5: a real day, not in the future, at most 130 calendar years ago."""
    expected = expected_day(born)
    try:
        taken: Any = RegisterBegin(**form(date_of_birth=born)).date_of_birth
    except ValidationError:
        taken = None
    assert taken == (expected and datetime.combine(expected, time(), UTC))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)


@over_http
@given(
    field=st.sampled_from(sorted(form())),
    value=st.one_of(anything, typed.tricky_text, typed.names, typed.dates, st.text()),
)
def test_no_field_of_a_form_is_too_much_for_the_service(
    service: Service, field: str, value: Any
) -> None:
    """B2: 200 or 422, and what is not text is refused."""
    raw = json.dumps(form(**{"email": "form@example.com", field: value}))
    answer = service.post(
        "/register/begin", content=raw, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (200, 422)
    assert isinstance(value, str) or answer.status_code == 422


@given(st.from_regex(PLAIN_ADDRESS, fullmatch=True))
@example("jane@example.test")
@example("jane@LOCALHOST.local")
@example(f"{'a' * 65}@example.com")
@example(f"jane@{'a' * 64}.com")
@example(f"a@{'b.' * 130}com")
def test_the_usual_addresses_are_what_the_library_says_of_them(typed: str) -> None:
    """B4: the short way takes nothing that the library refuses, and spells it as the library."""
    try:
        valid = validate_email(typed, check_deliverability=False)
    except EmailNotValidError:
        with pytest.raises(ValueError, match=r"."):
            EmailAddress(typed)
        return
    expected = f"{valid.local_part.casefold()}@{valid.ascii_domain.lower()}"
    assert EmailAddress(typed).canonical == expected
