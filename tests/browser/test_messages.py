"""Where messages stand, what they lead to, and which words the page has for what it does."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.authenticator import PLATFORM
from tests.browser.conftest import OpenDemo
from tests.browser.demo import Demo, Person

# A security key, and no passkey provider of the device.
KEY = {**PLATFORM, "transport": "usb"}
IN_VIEW = """(element) => {
  const { top, bottom } = element.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}"""
OTHER_WORDS = re.compile(r"\blog(ged)? ?(in|out)\b", re.IGNORECASE)
NO_KEEPER = "This device can’t keep a passkey yet."


def text_that_shows(page: Page) -> str:
    """The text of the page, without what only screen readers read."""
    shown: str = page.evaluate(
        "() => { document.querySelectorAll('.also').forEach((each) => each.remove());"
        " return document.body.innerText + document.title; }"
    )
    return shown


def message(demo: Demo, role: str) -> Locator:
    return demo.page.locator(f"[role={role}].filled")


@pytest.mark.parametrize("width", [320, 1100])
def test_a_message_stands_under_the_heading_and_in_view(open_demo: OpenDemo, width: int) -> None:
    demo = open_demo("light", width, 480)
    demo.answer("/register/begin", 429, headers={"Retry-After": "5"})
    demo.open()
    demo.submit_registration(Person())
    expect(message(demo, "alert")).to_contain_text("Too many attempts")
    assert message(demo, "alert").evaluate(IN_VIEW)
    heading, form = demo.heading("Create your account"), demo.page.locator("form:visible")
    boxes = [each.bounding_box() for each in (heading, message(demo, "alert"), form)]
    tops = [box["y"] for box in boxes if box]
    assert tops == sorted(tops)
    assert len(tops) == 3


def test_good_news_are_in_view_on_a_phone(open_demo: OpenDemo) -> None:
    demo = open_demo("light", 320, 480)
    demo.register()
    expect(message(demo, "status")).to_contain_text("Your account is ready")
    assert message(demo, "status").evaluate(IN_VIEW)
    demo.sign_out()
    expect(message(demo, "status")).to_contain_text("You’re signed out.")
    assert message(demo, "status").evaluate(IN_VIEW)


@pytest.mark.parametrize("path", ["/#register", "/#login"])
def test_no_room_is_kept_for_a_message(demo: Demo, path: str) -> None:
    """The space below the last button is the padding of the card."""
    demo.open(path)
    button, card = demo.page.locator("form:visible .button"), demo.page.locator("main")
    button.wait_for()
    ends = [box["y"] + box["height"] for each in (button, card) if (box := each.bounding_box())]
    assert 0 < ends[1] - ends[0] <= 40


def test_the_page_has_one_word_for_signing_in_and_out(demo: Demo) -> None:
    demo.open("/#login")
    demo.heading("Welcome back").wait_for()
    texts = [text_that_shows(demo.page)]
    person = demo.register()
    texts.append(text_that_shows(demo.page))
    demo.page.reload()
    demo.sign_out()
    texts.append(text_that_shows(demo.page))
    demo.open("/#register")
    demo.submit_registration(person)
    demo.alert.get_by_role("button").wait_for()
    texts.append(text_that_shows(demo.page))
    assert [found.group() for text in texts if (found := OTHER_WORDS.search(text))] == []
    assert sum("Sign in" in text for text in texts) == 3
    assert "Sign out" in texts[1]


def test_the_names_in_the_contract_find_the_controls(demo: Demo) -> None:
    """They are read out, after the word that shows: speech control needs that one (WCAG 2.5.3)."""
    demo.register()
    expect(demo.page.get_by_role("button", name="Logout")).to_have_text("Sign out (Logout)")
    demo.page.get_by_role("button", name="Logout").click()
    for name in ("Register", "Login"):
        demo.page.get_by_role("tab", name=name).click()
        expect(demo.page.get_by_role("tabpanel", name=name)).to_be_visible()


def test_the_first_tab_is_the_one_that_fits_this_device(demo: Demo) -> None:
    demo.open()
    expect(demo.heading("Create your account")).to_be_visible()
    demo.register_and_sign_out()
    demo.open()
    expect(demo.heading("Welcome back")).to_be_visible()
    demo.open("/#register")
    demo.page.reload()
    expect(demo.heading("Create your account")).to_be_visible()


def test_where_storage_is_forbidden_the_page_works_all_the_same(demo: Demo) -> None:
    demo.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no') } })"
    )
    demo.register_and_sign_out()


def test_a_cancelled_sign_in_leads_to_another_try_or_to_an_account(demo: Demo) -> None:
    person = demo.register_and_sign_out()
    demo.authenticator.fail_verification()
    demo.sign_in(person.email)
    demo.button("Create an account").click()
    expect(demo.heading("Create your account")).to_be_focused()
    demo.tab("Login").click()
    demo.sign_in(person.email)
    before = demo.calls("/login/begin")
    demo.button("Try again").click()
    expect(demo.button("Create an account")).to_be_visible()
    assert demo.calls("/login/begin") == before + 1
    assert demo.bodies("/login/begin")[-1] == {"email": person.email}
    expect(demo.button("Sign in with a passkey")).to_be_focused()


def test_after_a_failed_registration_the_same_can_be_tried_again(demo: Demo) -> None:
    demo.answer("/register/begin", 500)
    demo.open()
    demo.submit_registration(Person())
    demo.alert.get_by_role("button", name="Try again").wait_for()
    demo.page.unroute_all()
    demo.button("Try again").click()
    expect(demo.heading("Jane Doe")).to_be_visible()


@pytest.fixture
def with_a_key_only(demo: Demo) -> Demo:
    demo.authenticator.unplug()
    demo.authenticator.plug(KEY)
    return demo


def test_with_a_security_key_only_the_page_says_at_once_what_is_missing(
    with_a_key_only: Demo,
) -> None:
    """The prompt would ask for what this device does not have, and wait for a minute."""
    demo = with_a_key_only
    demo.page.add_init_script(
        "const prompt = navigator.credentials.create; window.prompts = 0;"
        "navigator.credentials.create = function (o) { prompts++; return prompt.call(this, o); }"
    )
    demo.open()
    expect(demo.alert).to_contain_text(NO_KEEPER)
    demo.submit_registration(Person())
    expect(demo.alert).to_contain_text(f"{NO_KEEPER} A security key alone is not enough here.")
    expect(demo.alert).to_contain_text("password manager")
    assert demo.page.evaluate("prompts") == 0
    demo.authenticator.plug(PLATFORM)
    demo.button("Try anyway").click()
    expect(demo.heading("Jane Doe")).to_be_visible()


def test_a_service_that_takes_security_keys_is_not_second_guessed(with_a_key_only: Demo) -> None:
    """The options decide: without the attachment `platform` the prompt opens."""
    demo = with_a_key_only

    def open_to_keys(route: object) -> None:
        answer = route.fetch()  # type: ignore[attr-defined]
        body = answer.json()
        del body["publicKey"]["authenticatorSelection"]["authenticatorAttachment"]
        route.fulfill(response=answer, json=body)  # type: ignore[attr-defined]

    demo.page.route("**/register/begin", open_to_keys)
    demo.open()
    demo.submit_registration(Person())
    expect(demo.heading("Jane Doe")).to_be_visible()


def elsewhere(demo: Demo, address: str) -> None:
    """From now on the service says that its address is this one."""
    demo.answer("/.well-known/passkey-endpoints", 200, enroll=f"{address}/#register")


def test_a_page_at_an_address_that_the_service_does_not_know_says_so(demo: Demo) -> None:
    elsewhere(demo, "http://localhost:1")
    demo.answer("/register/complete", 400, code="registration_failed")
    demo.open()
    demo.submit_registration(Person())
    expect(demo.alert).to_contain_text(
        f"This page is open at {demo.url}, but the service’s address is http://localhost:1"
    )
    expect(demo.alert).to_contain_text(f"add {demo.url} to ORIGIN")
    expect(demo.button("Open it there")).to_be_visible()


@pytest.mark.parametrize("known", ["the same", "an app", "nothing"])
def test_a_refusal_at_the_right_address_is_not_blamed_on_it(demo: Demo, known: str) -> None:
    if known == "an app":
        elsewhere(demo, "android:apk-key-hash:AAAA")
    elif known == "nothing":
        demo.answer("/.well-known/passkey-endpoints", 404)
    demo.register_and_sign_out()
    demo.answer("/login/complete", 401, code="invalid_credentials")
    demo.sign_in()
    expect(demo.alert).to_contain_text("We couldn’t sign you in with that passkey.")
    expect(demo.button("Create an account")).to_be_visible()
