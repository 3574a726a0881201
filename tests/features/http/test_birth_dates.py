"""Dates of birth that nobody was born on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from devtools.authenticator import SoftAuthenticator
from tests.features.http.problems import invalid
from tests.support.service import JANE, Service


def today() -> date:
    return datetime.now(UTC).date()


REFUSED = {
    "tomorrow": lambda: (today() + timedelta(days=1)).isoformat(),
    "next century": lambda: f"{today().year + 100}-01-01",
    "131 years ago": lambda: f"{today().year - 131}-12-31",
    "the year 0000": lambda: "0000-01-01",
    "the year 0001": lambda: "0001-01-01",
    "the year 10000": lambda: "10000-01-01",
    "30 February": lambda: "1990-02-30",
    "29 February of a common year": lambda: "1900-02-29",
    "month 13": lambda: "1990-13-01",
    "day 0": lambda: "1990-01-00",
    "1e10": lambda: "1e10",
    "a timestamp": lambda: "631152000",
    "a week": lambda: "1990-W03-1",
    "an ordinal": lambda: "1990-015",
    "no hyphens": lambda: "19900115",
    "American": lambda: "01/15/1990",
    "hour 25": lambda: "1990-01-15T25:00:00Z",
    "minute 60": lambda: "1990-01-15T00:60Z",
    "a space for the T": lambda: "1990-01-15 00:00:00",
    "a minus sign": lambda: "-1990-01-15",
    "leading white space": lambda: " 1990-01-15",
    "a line feed": lambda: "1990-01-15\n",
    "Arabic digits": lambda: "١٩٩٠-٠١-١٥",
    "full-width digits": lambda: "\uff11\uff19\uff19\uff10-01-15",
    "20 kB": lambda: "1" * 20_000,
}


@pytest.mark.parametrize("born", REFUSED.values(), ids=REFUSED)
def test_an_impossible_date_is_refused(shared: Service, born: object) -> None:
    """B5: 422 at the field."""
    assert callable(born)
    (error,) = invalid(shared.post("/register/begin", {**JANE, "date_of_birth": born()}))
    assert (error["pointer"], error["code"]) == ("/date_of_birth", "date")


@pytest.mark.parametrize("born", [10_000_000_000, 1e10, -1, 0, True, 631152000.5], ids=repr)
def test_a_number_is_no_date(shared: Service, born: object) -> None:
    """B5: nobody's birth is a count of seconds."""
    (error,) = invalid(shared.post("/register/begin", {**JANE, "date_of_birth": born}))
    assert (error["pointer"], error["code"]) == ("/date_of_birth", "date")


@pytest.mark.parametrize(
    ("born", "shown"),
    [
        ("1990-01-15", "1990-01-15T00:00:00Z"),
        ("1990-01-15T00:00:00Z", "1990-01-15T00:00:00Z"),
        ("1990-01-15T23:30:00+02:00", "1990-01-15T00:00:00Z"),
        ("2000-02-29", "2000-02-29T00:00:00Z"),
    ],
)
def test_a_day_of_birth_is_midnight_utc(
    service: Service, device: SoftAuthenticator, born: str, shown: str
) -> None:
    """B5: what is shown and stored is the day that was typed, in whatever zone."""
    user = service.register(device, {**JANE, "date_of_birth": born})
    assert user["date_of_birth"] == shown
    stored = service.rows("SELECT date_of_birth FROM users")[0]["date_of_birth"]
    assert stored == shown.replace("T", " ").replace("Z", ".000000")


def test_the_oldest_and_the_youngest_may_register(shared: Service) -> None:
    """B5: today, and 130 years ago."""
    for born in (today(), date(today().year - 130, 1, 1)):
        form = {**JANE, "date_of_birth": born.isoformat()}
        assert shared.post("/register/begin", form).status_code == 200
