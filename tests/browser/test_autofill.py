"""Passkeys in the autofill list of the email field: one request waits, and ends before a prompt."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenDemo
from tests.browser.demo import Demo

# Records the begin of each WebAuthn request, and its error.
LOG = """
window.prompts = [];
const get = CredentialsContainer.prototype.get;
CredentialsContainer.prototype.get = function (options) {
  prompts.push(options.mediation);
  const answer = get.call(this, options);
  answer.catch((error) => prompts.push(`${options.mediation} ${error.name}`));
  return answer;
};
"""

# Lets a test hide and show the tab: in a headless browser every tab counts as visible.
HIDEABLE = """
window.tabHidden = %s;
Object.defineProperty(document, 'hidden', { get: () => window.tabHidden });
window.setHidden = (hidden) => {
  window.tabHidden = hidden;
  document.dispatchEvent(new Event('visibilitychange'));
};
"""
# The page awaits the same before it calls the service, so its call would have begun by the end.
SETTLE = """async () => {
  await PublicKeyCredential.isConditionalMediationAvailable();
  await fetch('/livez');
}"""


def expect_prompts(demo: Demo, *events: str) -> None:
    """Wait until these events are recorded, one right after the other."""
    demo.page.wait_for_function("(events) => prompts.join().includes(events)", arg=",".join(events))


@pytest.fixture
def waiting(open_demo: OpenDemo) -> Demo:
    """The login view with autofill running: one account exists, and no passkey was picked."""
    demo = open_demo(autofill=True)
    demo.page.clock.install()
    demo.page.add_init_script(LOG)
    demo.register()
    demo.authenticator.ignore_prompts()
    demo.sign_out()
    expect_prompts(demo, "optional", "conditional")
    return demo


def test_a_passkey_picked_from_the_list_signs_in(waiting: Demo) -> None:
    expect(waiting.box("Email")).to_have_attribute("autocomplete", "username webauthn")
    waiting.tab("Register").click()
    waiting.authenticator.answer_prompts()
    waiting.tab("Login").click()
    expect(waiting.heading("Jane Doe")).to_be_visible()
    assert waiting.bodies("/login/begin")[-1] == {}
    assert set(waiting.bodies("/login/complete")[-1]) == {"assertion"}


def test_the_waiting_request_is_aborted_before_a_prompt_opens(waiting: Demo) -> None:
    """The browser would refuse a second request next to the first."""
    waiting.button("Sign in with a passkey").click()
    expect_prompts(waiting, "conditional", "conditional AbortError", "optional")


def test_after_a_failed_prompt_the_list_is_offered_again(waiting: Demo) -> None:
    waiting.authenticator.fail_verification()
    waiting.authenticator.answer_prompts()
    waiting.sign_in("someone@example.com")
    expect_prompts(waiting, "optional NotAllowedError", "conditional")


def test_a_challenge_is_renewed_before_it_expires(waiting: Demo) -> None:
    before = waiting.calls("/login/begin")
    waiting.page.clock.run_for(3 * 60_000)
    assert waiting.calls("/login/begin") == before
    waiting.page.clock.run_for(70_000)
    expect_prompts(waiting, "conditional", "conditional AbortError", "conditional")
    assert waiting.calls("/login/begin") == before + 1


def test_a_tab_that_opens_hidden_asks_for_no_challenge_until_it_is_visible(
    open_demo: OpenDemo,
) -> None:
    demo = open_demo(autofill=True)
    demo.authenticator.ignore_prompts()
    demo.page.add_init_script(LOG)
    demo.page.add_init_script(HIDEABLE % "true")
    demo.open("/#login")
    expect(demo.heading("Welcome back")).to_be_visible()
    demo.page.evaluate(SETTLE)
    assert demo.calls("/login/begin") == 0
    demo.page.evaluate("setHidden(false)")
    expect_prompts(demo, "conditional")
    assert demo.calls("/login/begin") == 1


def test_a_hidden_tab_does_not_renew_its_challenge(waiting: Demo) -> None:
    """The tab may stay open for days. It asks again when the person comes back to it."""
    waiting.page.evaluate(HIDEABLE % "false")
    before = waiting.calls("/login/begin")
    waiting.page.evaluate("setHidden(true)")
    waiting.page.clock.run_for(5 * 60_000)
    expect_prompts(waiting, "conditional", "conditional AbortError")
    waiting.page.evaluate(SETTLE)
    assert waiting.calls("/login/begin") == before
    waiting.page.evaluate("setHidden(false)")
    expect_prompts(waiting, "conditional AbortError", "conditional")
    assert waiting.calls("/login/begin") == before + 1


@pytest.mark.parametrize(
    "event", ["window.dispatchEvent(new Event('focus'))", "setHidden(false)"], ids=["focus", "show"]
)
def test_a_challenge_that_grew_old_during_sleep_is_renewed_on_waking(
    waiting: Demo, event: str
) -> None:
    """Timers do not run while a laptop sleeps; the system time goes on."""
    waiting.page.evaluate(HIDEABLE % "false")
    before = waiting.calls("/login/begin")
    now = waiting.page.evaluate("Date.now()")
    waiting.page.clock.set_system_time(now + 5 * 60_000)
    waiting.page.evaluate(event)
    expect_prompts(waiting, "conditional", "conditional AbortError", "conditional")
    assert waiting.calls("/login/begin") == before + 1


def test_nothing_is_asked_of_the_service_outside_the_login_view(waiting: Demo) -> None:
    waiting.tab("Register").click()
    expect_prompts(waiting, "conditional", "conditional AbortError")
    before = waiting.calls("/login/begin")
    waiting.page.clock.run_for(10 * 60_000)
    assert waiting.calls("/login/begin") == before


def test_autofill_shows_no_message_if_the_service_does_not_answer(open_demo: OpenDemo) -> None:
    """The person did not ask for autofill. A message follows only the press of a button."""
    demo = open_demo(autofill=True)
    demo.page.route("**/login/begin", lambda route: route.abort())
    with demo.page.expect_event("requestfailed"):
        demo.open("/#login")
    expect(demo.heading("Welcome back")).to_be_visible()
    expect(demo.alert).to_have_text("")
