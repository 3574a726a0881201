"""The messages when the service, the network or the browser refuses."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.demo import HTTP_DATE, Demo, Person

# Wrong values, and the message that the form shows before it sends anything.
BAD_ENTRIES = [
    ("Last Name", "", "Enter your last name."),
    ("Email", "jane", "Enter an email like name@example.com."),
    ("Date of Birth", "2999-01-01", "This date is in the future."),
    ("Date of Birth", "1850-01-01", "This date is too long ago."),
    ("Job Title", " ", "Enter your job title."),
]

BUSY = [
    (429, "30", "Too many attempts. Try again in 30 seconds."),
    (429, "1", "Too many attempts. Try again in 1 second."),
    (429, "600", "Too many attempts. Try again in 10 minutes."),
    (503, "5", "The service is briefly unavailable. Try again in 5 seconds."),
    (503, "", "The service is briefly unavailable. Try again in a moment."),
    (500, "", "Something went wrong on our side. Try again in a moment."),
]


def test_a_simple_error_is_shown_before_anything_is_sent(
    demo: Demo, subtests: pytest.Subtests
) -> None:
    demo.open()
    for label, value, message in BAD_ENTRIES:
        with subtests.test(label, value=value):
            demo.fill_registration(Person())
            demo.box(label).fill(value)
            demo.button("Register with a passkey").click()
            expect(demo.box(label)).to_have_accessible_description(message)
            expect(demo.box(label)).to_have_attribute("aria-invalid", "true")
            expect(demo.box(label)).to_be_focused()
    assert demo.calls("/register/begin") == 0


def test_an_empty_form_has_a_message_at_every_field_and_the_focus_on_the_first(demo: Demo) -> None:
    demo.open()
    demo.button("Register with a passkey").click()
    expect(demo.page.locator("#panel-register [aria-invalid]")).to_have_count(5)
    expect(demo.box("First Name")).to_be_focused()


def test_a_message_goes_away_when_its_field_is_corrected(demo: Demo) -> None:
    demo.open()
    demo.button("Register with a passkey").click()
    demo.box("First Name").fill("J")
    expect(demo.box("First Name")).not_to_have_attribute("aria-invalid", "true")
    expect(demo.box("First Name")).to_have_accessible_description("")
    expect(demo.box("Last Name")).to_have_attribute("aria-invalid", "true")


def test_an_error_that_only_the_service_finds_is_shown_next_to_its_field(demo: Demo) -> None:
    demo.open()
    demo.submit_registration(Person(email="jane@localhost", job_title="x" * 500))
    for label in ("Email", "Job Title"):
        expect(demo.box(label)).to_have_attribute("aria-invalid", "true")
        expect(demo.box(label)).not_to_have_accessible_description("")
    expect(demo.box("Email")).to_be_focused()
    expect(demo.box("Last Name")).not_to_have_attribute("aria-invalid", "true")


def test_a_422_about_no_field_of_the_form_is_a_general_message(demo: Demo) -> None:
    demo.answer("/register/begin", 422, errors=[{"pointer": "", "code": "x", "message": "Odd"}])
    demo.open()
    demo.submit_registration(Person())
    expect(demo.alert).to_contain_text(
        "The service didn’t accept this. Check what you entered and try again."
    )


def test_a_busy_service_says_when_to_come_back(demo: Demo, subtests: pytest.Subtests) -> None:
    demo.open("/#login")
    for status, retry_after, text in BUSY:
        with subtests.test(text, status=status):
            demo.answer("/login/begin", status, headers={"Retry-After": retry_after})
            demo.button("Sign in with a passkey").click()
            expect(demo.alert).to_contain_text(text)


# Seconds from now to the date in Retry-After, and the text for it.
RETRY_DATES = [
    (30 * 60, "Try again in 30 minutes."),
    (45, "Try again in 4"),
    (-60, "Try again in 1 second."),
]


@pytest.mark.parametrize("service_ahead", [timedelta(0), timedelta(hours=2)], ids=["same", "ahead"])
def test_a_date_in_retry_after_is_read_by_the_clock_of_the_service(
    demo: Demo, subtests: pytest.Subtests, service_ahead: timedelta
) -> None:
    """RFC 9110 §10.2.3: Retry-After holds seconds or a date."""
    demo.open("/#login")
    for seconds, text in RETRY_DATES:
        with subtests.test(text):
            now = datetime.now(UTC) + service_ahead
            dates = {"Date": now, "Retry-After": now + timedelta(seconds=seconds)}
            headers = {name: date.strftime(HTTP_DATE) for name, date in dates.items()}
            demo.answer("/login/begin", 429, headers=headers)
            demo.button("Sign in with a passkey").click()
            expect(demo.alert).to_contain_text(text)


def test_without_a_network_the_page_says_so_and_keeps_the_values(demo: Demo) -> None:
    demo.open()
    demo.page.context.set_offline(True)
    demo.submit_registration(Person())
    expect(demo.alert).to_contain_text("We can’t reach the service. Check your connection")
    expect(demo.box("First Name")).to_have_value("Jane")


def test_a_call_without_an_answer_times_out(demo: Demo) -> None:
    demo.page.clock.install()
    demo.page.route("**/login/begin", lambda route: None)
    demo.open("/#login")
    demo.button("Sign in with a passkey").click()
    expect(demo.button("Waiting for your passkey…")).to_be_visible()
    demo.page.clock.run_for(16_000)
    expect(demo.alert).to_contain_text("The service is taking too long.")
    demo.page.unroute_all(behavior="ignoreErrors")


def test_a_refused_passkey_is_not_left_on_the_device(demo: Demo) -> None:
    """The browser would offer it for ever, and it would never work."""
    demo.answer("/register/complete", 400, code="registration_failed")
    demo.open()
    demo.submit_registration(Person())
    expect(demo.alert).to_contain_text("no account was made")
    assert demo.authenticator.credentials() == []


def test_a_device_that_can_hold_no_passkey_is_told_at_once(demo: Demo) -> None:
    demo.authenticator.unplug()
    demo.open()
    expect(demo.alert).to_contain_text("This device can’t keep a passkey yet.")


def test_a_browser_without_passkeys_is_told_to_update(demo: Demo) -> None:
    demo.page.add_init_script("delete window.PublicKeyCredential")
    demo.open()
    expect(demo.heading("Passkeys aren’t available here")).to_be_visible()
    expect(demo.page.get_by_text("This browser can’t use passkeys yet.")).to_be_visible()
    expect(demo.page.get_by_role("tab")).to_have_count(0)


def test_an_insecure_address_is_named_as_the_reason(demo: Demo) -> None:
    demo.page.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    demo.open()
    expect(demo.page.get_by_text("Passkeys need a secure address.")).to_be_visible()
    link = demo.page.get_by_role("link", name="Open it over https")
    expect(link).to_have_attribute("href", demo.url.replace("http:", "https:") + "/")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_an_address_in_numbers_leads_to_localhost(demo: Demo, host: str) -> None:
    port = demo.url.rpartition(":")[2]
    # The service listens on 127.0.0.1 only, so the test answers for [::1].
    demo.page.route(
        lambda url: url.startswith("http://[::1]"),
        lambda route: route.fulfill(
            response=route.fetch(url=route.request.url.replace("[::1]", "localhost"))
        ),
    )
    demo.page.goto(f"http://{host}:{port}/#login")
    demo.page.wait_for_url(f"{demo.url}/#login")
    expect(demo.heading("Welcome back")).to_be_visible()
