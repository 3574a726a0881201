"""The page in a second browser engine: one registration and one login."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.demo import Person
from tests.browser.firefox import Firefox, find_firefox
from tests.browser.service import ServiceUnderTest, free_port

STATE_TIMEOUT_SECONDS = 15.0
MISSING = "No Firefox was found. Install one, or say where it is with FIREFOX_PATH."
# Firefox's software token is a cross-platform authenticator, and the service asks for `platform`.
ANY_ATTACHMENT = """
const parse = PublicKeyCredential.parseCreationOptionsFromJSON.bind(PublicKeyCredential);
PublicKeyCredential.parseCreationOptionsFromJSON = (options) => {
  delete options.authenticatorSelection.authenticatorAttachment;
  return parse(options);
};
"""
FILL = """
for (const [name, value] of Object.entries(arguments[0])) {
  document.querySelector(`#form-register [name=${name}]`).value = value;
}
document.querySelector('#form-register button').click();
"""
STATE = """
return [document.title, document.querySelector('.messages').innerText,
  document.querySelector('[data-field=email]').textContent];
"""


@pytest.fixture
def firefox(tmp_path: Path) -> Iterator[Firefox]:
    """A started Firefox. Without one the test is skipped, but in CI it fails."""
    command = find_firefox()
    if command is None and os.environ.get("CI") == "true":
        pytest.fail(MISSING)
    if command is None:
        pytest.skip(MISSING)
    started = Firefox(command, tmp_path, free_port())
    try:
        started.start()
        yield started
    finally:
        started.stop()


def wait_for(firefox: Firefox, title: str, message: str) -> str:
    """Wait for the view and the message, and return the email in the profile."""
    deadline = time.monotonic() + STATE_TIMEOUT_SECONDS
    state = firefox.run(STATE)
    while not (state[0].startswith(title) and message in state[1]):
        assert time.monotonic() < deadline, state
        time.sleep(0.05)
        state = firefox.run(STATE)
    return str(state[2])


def test_registering_and_signing_in_work_in_firefox(
    firefox: Firefox, live_server: ServiceUnderTest
) -> None:
    person = Person()
    firefox.open(live_server.url)
    firefox.run(ANY_ATTACHMENT)
    firefox.run(FILL, vars(person))
    assert wait_for(firefox, "Profile", "Your account is ready") == person.email
    firefox.run("document.getElementById('button-logout').click()")
    assert wait_for(firefox, "Sign in", "You’re signed out.") == ""
    firefox.run("document.getElementById('button-passkey').click()")
    assert wait_for(firefox, "Profile", "You’re signed in.") == person.email
