"""The session: the token in this tab, its countdown, and every way in which it ends."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.demo import HTTP_DATE, Demo

EXPIRED = "Your session has expired. Sign in again to continue."
INVALID = "Your session is no longer valid. Sign in again to continue."
# The module that the page itself uses, so its state is the page's.
CLOCK_OFFSET = """async () => {
  const { serverNow } = await import(document.querySelector('[href$="/js/api.js"]').href);
  return serverNow() - Date.now();
}"""


def seconds_left(demo: Demo) -> int:
    """The seconds of a text such as 59:07 or 1:00:00."""
    total = 0
    for part in demo.countdown.inner_text().split(":"):
        total = total * 60 + int(part)
    return total


def test_the_token_and_the_user_id_are_stored_under_their_documented_keys(demo: Demo) -> None:
    demo.register()
    stored = demo.stored()
    assert set(stored) == {"webauthn_jwt", "webauthn_user_id"}
    assert stored["webauthn_jwt"].count(".") == 2
    assert demo.calls(f"/users/{stored['webauthn_user_id']}") == 1
    # Only this is stored longer than the tab is open: that a passkey was used, and not whose.
    assert demo.page.evaluate("({ ...localStorage })") == {"passkey_used": "yes"}
    assert demo.page.context.cookies() == []


def test_the_countdown_ticks_by_the_second_from_sixty_minutes(demo: Demo) -> None:
    demo.page.clock.install()
    demo.register()
    before = seconds_left(demo)
    assert 3590 <= before <= 3600
    demo.page.clock.run_for(5_000)
    assert 4 <= before - seconds_left(demo) <= 7


@pytest.mark.parametrize("minutes", [50, -120], ids=["ahead", "behind"])
def test_a_wrong_clock_of_the_device_does_not_change_the_countdown(
    demo: Demo, minutes: int
) -> None:
    """The page counts by the clock of the service, which it knows from the Date header."""
    demo.page.clock.install(time=datetime.now(UTC) + timedelta(minutes=minutes))
    demo.register()
    assert 3580 <= seconds_left(demo) <= 3606
    demo.page.clock.fast_forward(3650 * 1000)
    expect(demo.alert).to_have_text(EXPIRED)


@pytest.mark.parametrize(
    ("seconds", "corrected"), [(2, False), (-3, False), (8, True), (-3600, True)]
)
def test_only_a_difference_of_the_clocks_above_five_seconds_is_corrected(
    demo: Demo, seconds: int, corrected: bool
) -> None:
    """The Date header has whole seconds, and the answer takes time: a small one means nothing."""
    demo.open("/#login")
    demo.page.clock.install()
    date = datetime.now(UTC) + timedelta(seconds=seconds)
    demo.page.clock.set_fixed_time(date - timedelta(seconds=seconds))
    demo.answer("/login/begin", 503, headers={"Date": date.strftime(HTTP_DATE)})
    demo.button("Sign in with a passkey").click()
    expect(demo.alert).to_contain_text("briefly unavailable")
    offset = demo.page.evaluate(CLOCK_OFFSET)
    assert (seconds * 1000 - 1000 <= offset <= seconds * 1000) if corrected else offset == 0


def test_when_the_token_runs_out_the_page_asks_to_sign_in_again(demo: Demo) -> None:
    demo.page.clock.install()
    demo.register()
    demo.page.clock.fast_forward(3601 * 1000)
    expect(demo.alert).to_have_text(EXPIRED)
    expect(demo.heading("Welcome back")).to_be_focused()
    assert demo.stored() == {}


def test_a_reload_with_a_live_token_shows_the_profile(demo: Demo) -> None:
    demo.register()
    demo.page.reload()
    expect(demo.heading("Jane Doe")).to_be_visible()
    expect(demo.countdown).to_have_text(re.compile(r"59:\d\d|60:00|1:00:00"))


def test_a_reload_with_an_expired_token_returns_to_the_login(demo: Demo) -> None:
    demo.register()
    demo.page.evaluate(
        "sessionStorage.webauthn_jwt = 'e30.' + btoa(JSON.stringify({ iat: 1, exp: 2 })) + '.x'"
    )
    demo.page.reload()
    expect(demo.alert).to_have_text(EXPIRED)
    assert demo.stored() == {}


def test_a_reload_with_a_token_the_service_refuses_returns_to_the_login(demo: Demo) -> None:
    demo.register()
    demo.page.evaluate("sessionStorage.webauthn_jwt += 'x'")
    demo.page.reload()
    expect(demo.alert).to_have_text(INVALID)
    assert demo.stored() == {}


def test_a_reload_with_junk_for_a_token_returns_to_the_login(demo: Demo) -> None:
    demo.register()
    demo.page.evaluate("sessionStorage.webauthn_jwt = 'junk'")
    demo.page.reload()
    expect(demo.alert).to_have_text(EXPIRED)


def test_a_reload_while_the_service_does_not_answer_keeps_the_token(demo: Demo) -> None:
    demo.register()
    demo.page.route("**/users/*", lambda route: route.abort())
    demo.page.reload()
    expect(demo.alert).to_contain_text("We can’t reach the service.")
    assert "webauthn_jwt" in demo.stored()
    demo.page.unroute_all()
    demo.button("Reload").click()
    expect(demo.heading("Jane Doe")).to_be_visible()


def test_logging_out_empties_the_storage_and_the_page_for_good(demo: Demo) -> None:
    person = demo.register_and_sign_out()
    expect(demo.status).to_have_text("You’re signed out.")
    expect(demo.heading("Welcome back")).to_be_focused()
    assert demo.stored() == {}
    assert person.email not in demo.page.evaluate("document.body.textContent")
    demo.page.reload()
    expect(demo.heading("Welcome back")).to_be_visible()


def test_the_token_can_be_copied(demo: Demo) -> None:
    demo.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    demo.register()
    demo.button("Copy token").click()
    expect(demo.status).to_contain_text("Token copied.")
    assert demo.page.evaluate("navigator.clipboard.readText()") == demo.stored()["webauthn_jwt"]


def test_where_copying_is_not_allowed_the_page_says_where_the_token_is(demo: Demo) -> None:
    demo.page.add_init_script("navigator.clipboard.writeText = () => Promise.reject()")
    demo.register()
    demo.button("Copy token").click()
    expect(demo.alert).to_contain_text("“For developers” says where the token is.")
