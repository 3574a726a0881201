"""Signing in with a prompt, with and without an email, and the messages when it fails."""

import pytest
from playwright.sync_api import expect

from tests.browser.demo import Demo, Person

REFUSED = "We couldn’t sign you in with that passkey. Try again, or use another passkey."
CANCELLED = "Sign-in was cancelled, or there’s no matching passkey here."
# The virtual authenticator answers at once or never. This prompt answers after `release()`.
HOLD_PROMPT = """() => {
  const prompt = navigator.credentials.get.bind(navigator.credentials);
  const released = new Promise((resolve) => { window.release = resolve; });
  navigator.credentials.get = (options) => released.then(() => prompt(options));
}"""

END_PROMPT = """([name, after]) => {
  const end = (_, reject) => setTimeout(() => reject(new DOMException('', name)), after);
  navigator.credentials.get = () => new Promise(end);
}"""
ENDS = [
    ("NotAllowedError", 0, "status", CANCELLED),
    ("NotAllowedError", 1000, "status", "The prompt waited too long for an answer."),
    ("SecurityError", 0, "alert", "Passkeys for this service don’t work at localhost:"),
    ("ConstraintError", 0, "alert", "This device can’t keep a passkey yet."),
    ("UnknownError", 0, "alert", "Your browser couldn’t finish this."),
]


def test_login_with_an_email(demo: Demo) -> None:
    person = demo.register_and_sign_out()
    demo.sign_in(person.email)
    expect(demo.status).to_have_text("You’re signed in.")
    expect(demo.heading("Jane Doe")).to_be_focused()
    assert demo.bodies("/login/begin")[-1] == {"email": person.email}


def test_login_without_an_email_by_the_button(demo: Demo) -> None:
    demo.register_and_sign_out()
    demo.button("Sign in with a passkey").click()
    expect(demo.heading("Jane Doe")).to_be_focused()
    assert demo.bodies("/login/begin")[-1] == {}
    assert set(demo.bodies("/login/complete")[-1]) == {"assertion"}


def test_an_email_is_not_needed_but_must_be_one(demo: Demo) -> None:
    demo.open("/#login")
    demo.sign_in("jane")
    expect(demo.box("Email")).to_have_accessible_description(
        "Enter an email like name@example.com."
    )
    expect(demo.box("Email")).to_be_focused()
    assert demo.calls("/login/begin") == 0


def test_while_a_prompt_is_open_the_page_waits_and_a_second_press_does_nothing(demo: Demo) -> None:
    demo.register_and_sign_out()
    demo.page.evaluate(HOLD_PROMPT)
    before = demo.calls("/login/begin")
    demo.button("Sign in with a passkey").click()
    waiting = demo.button("Waiting for your passkey…")
    expect(waiting).to_have_attribute("aria-disabled", "true")
    waiting.click(force=True)
    demo.page.evaluate("release()")
    expect(demo.heading("Jane Doe")).to_be_visible()
    assert demo.calls("/login/begin") == before + 1


def test_an_unknown_email_looks_like_a_cancelled_prompt(demo: Demo) -> None:
    demo.open("/#login")
    demo.sign_in("nobody@example.com")
    expect(demo.status).to_contain_text(CANCELLED)


def test_a_failed_user_verification_is_refused(demo: Demo) -> None:
    person = demo.register_and_sign_out()
    demo.authenticator.fail_verification()
    demo.sign_in(person.email)
    expect(demo.status).to_contain_text(CANCELLED)
    assert demo.stored() == {}


def test_a_cloned_passkey_is_refused_by_its_counter(demo: Demo) -> None:
    person = demo.register_and_sign_out()
    demo.authenticator.become_a_clone()
    demo.sign_in(person.email)
    expect(demo.alert).to_contain_text(REFUSED)
    assert demo.stored() == {}


def test_after_a_refusal_the_right_passkey_still_works(demo: Demo) -> None:
    person = demo.register_and_sign_out()
    demo.answer("/login/complete", 401, code="invalid_credentials")
    demo.sign_in(person.email)
    expect(demo.alert).to_contain_text(REFUSED)
    demo.page.unroute_all()
    demo.sign_in(person.email)
    expect(demo.heading("Jane Doe")).to_be_visible()
    expect(demo.alert).to_have_text("")


def test_every_end_of_a_prompt_has_its_own_message(demo: Demo, subtests: pytest.Subtests) -> None:
    """Only the elapsed time distinguishes a closed prompt from one that timed out.

    Both are neutral news and no alert: the person decided so. Every message has a way on.
    """
    options = {"challenge": "AAAA", "rpId": "localhost", "timeout": 1000, "allowCredentials": []}
    demo.answer("/login/begin", 200, publicKey=options)
    demo.open("/#login")
    for name, after_ms, role, text in ENDS:
        with subtests.test(name, after_ms=after_ms):
            demo.page.evaluate(END_PROMPT, [name, after_ms])
            demo.button("Sign in with a passkey").click()
            regions = {"status": demo.status, "alert": demo.alert}
            shown = regions.pop(role)
            expect(shown).to_contain_text(text)
            expect(shown.get_by_role("button", name="Try again")).to_be_visible()
            (empty,) = regions.values()
            expect(empty).to_have_text("")


def test_two_people_on_one_device_each_get_their_own_profile(demo: Demo) -> None:
    demo.register_and_sign_out()
    demo.tab("Register").click()
    second = Person(first_name="Ada", last_name="Lovelace")
    demo.submit_registration(second)
    expect(demo.heading("Ada Lovelace")).to_be_visible()
    demo.sign_out()
    demo.sign_in(second.email)
    expect(demo.heading("Ada Lovelace")).to_be_visible()
