"""Registering: the form, the new passkey, and the profile."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import OpenDemo
from tests.browser.demo import Demo, Person


def test_registering_makes_one_discoverable_passkey_and_ends_signed_in(demo: Demo) -> None:
    demo.register()
    expect(demo.status).to_have_text("Your account is ready, and you’re signed in.")
    (credential,) = demo.authenticator.credentials()
    assert credential["isResidentCredential"]
    assert credential["rpId"] == "localhost"
    assert credential["userHandle"]


def test_the_profile_shows_every_field_the_role_and_since_when_one_is_a_member(demo: Demo) -> None:
    person = demo.register()
    expect(demo.heading("Jane Doe")).to_be_visible()
    facts: dict[str, str | re.Pattern[str]] = {
        "First Name": "Jane",
        "Last Name": "Doe",
        "Email": person.email,
        "Date of Birth": "January 15, 1990",
        "Job Title": "Staff Engineer",
        "Role": "user",
        "Member since": re.compile(r"^[A-Z][a-z]+ \d{1,2}, \d{4}$"),
    }
    for label, text in facts.items():
        expect(demo.fact(label)).to_have_text(text)


def test_a_date_of_birth_is_the_same_day_west_of_greenwich(open_demo: OpenDemo) -> None:
    demo = open_demo()
    cdp = demo.page.context.new_cdp_session(demo.page)
    cdp.send("Emulation.setTimezoneOverride", {"timezoneId": "America/Los_Angeles"})
    demo.register()
    expect(demo.fact("Date of Birth")).to_have_text("January 15, 1990")


def test_markup_in_a_name_is_shown_as_the_text_it_is(demo: Demo) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    demo.page.on("dialog", lambda dialog: demo.faults.append(dialog.message))
    demo.register(Person(first_name=hostile, job_title="</dd><script>alert(2)</script>"))
    expect(demo.fact("First Name")).to_have_text(hostile)
    expect(demo.fact("Job Title")).to_have_text("</dd><script>alert(2)</script>")
    assert demo.page.locator("main img, main script").count() == 0


def test_a_name_of_spaces_is_refused(demo: Demo) -> None:
    demo.open()
    demo.submit_registration(Person(first_name="   "))
    expect(demo.box("First Name")).to_have_accessible_description("Enter your first name.")
    assert demo.calls("/register/begin") == 0


def test_registering_twice_offers_to_sign_in_instead(demo: Demo) -> None:
    person = demo.register_and_sign_out()
    demo.tab("Register").click()
    demo.submit_registration(person)
    expect(demo.alert).to_contain_text("We can’t register this email.")
    demo.button("Go to sign in").click()
    expect(demo.box("Email")).to_be_focused()
    expect(demo.box("Email")).to_have_value(person.email)


def test_a_device_that_has_a_passkey_already_offers_to_sign_in(demo: Demo) -> None:
    demo.page.add_init_script(
        "navigator.credentials.create = () => "
        "Promise.reject(new DOMException('excluded', 'InvalidStateError'))"
    )
    demo.open()
    demo.submit_registration(Person())
    expect(demo.alert).to_contain_text("already has a passkey for this account")
    demo.button("Go to sign in").click()
    expect(demo.heading("Welcome back")).to_be_visible()


def test_a_prompt_that_is_declined_leaves_no_account_behind(demo: Demo) -> None:
    person = Person()
    demo.authenticator.fail_verification()
    demo.open()
    demo.submit_registration(person)
    expect(demo.status).to_contain_text("nothing was saved")
    expect(demo.alert).to_have_text("")
    expect(demo.box("Email")).to_have_value(person.email)
    assert demo.calls("/register/complete") == 0


def test_if_only_the_login_after_it_fails_the_page_says_that_the_account_is_ready(
    demo: Demo,
) -> None:
    demo.page.add_init_script(
        "navigator.credentials.get = () => "
        "Promise.reject(new DOMException('closed', 'NotAllowedError'))"
    )
    person = Person()
    demo.open()
    demo.submit_registration(person)
    expect(demo.status).to_contain_text("Your account is ready. Sign-in was cancelled")
    expect(demo.box("Email")).to_have_value(person.email)
