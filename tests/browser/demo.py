"""The demo page: what a test reads on it and does with it."""

import itertools
import json
import re
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Locator, Page, Request, expect

from tests.browser.authenticator import Authenticator

_numbers = itertools.count(1)
# Chromium logs every HTTP error to the console, and many tests cause HTTP errors.
EXPECTED_NOISE = "Failed to load resource: "
# For strftime: the format of HTTP dates (RFC 9110 §5.6.7).
HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"

# The virtual authenticator answers a request of the autofill list at once. Only the tests of
# autofill want that.
NO_AUTOFILL = (
    "if (window.PublicKeyCredential)"
    " PublicKeyCredential.isConditionalMediationAvailable = async () => false"
)
FILL = """(person) => {
  for (const [name, value] of Object.entries(person)) {
    const input = document.querySelector(`#form-register [name=${name}]`);
    input.value = value;
    input.dispatchEvent(new InputEvent('input', { bubbles: true }));
  }
}"""


@dataclass(frozen=True)
class Person:
    """A person who has no account yet."""

    first_name: str = "Jane"
    last_name: str = "Doe"
    email: str = field(default_factory=lambda: f"jane{next(_numbers)}@example.com")
    date_of_birth: str = "1990-01-15"
    job_title: str = "Staff Engineer"


class Demo:
    """One page in a new browser profile. `faults`: its console errors, warnings and exceptions."""

    def __init__(self, page: Page, url: str, *, autofill: bool) -> None:
        self.page = page
        self.url = url
        self.authenticator = Authenticator(page)
        self.faults: list[str] = []
        self.requests: list[Request] = []
        if not autofill:
            page.add_init_script(NO_AUTOFILL)
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self._note("error", str(error)))
        page.on("request", self._record)

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not text.startswith(EXPECTED_NOISE):
            self.faults.append(f"{kind}: {text}")

    def _record(self, request: Request) -> None:
        self.requests.append(request)

    def open(self, path: str = "/") -> None:
        self.page.goto(self.url + path, wait_until="domcontentloaded")

    # Elements of the page ------------------------------------------------------------------

    @property
    def status(self) -> Locator:
        return self.page.get_by_role("status")

    @property
    def alert(self) -> Locator:
        return self.page.get_by_role("alert")

    @property
    def countdown(self) -> Locator:
        return self.page.get_by_role("timer")

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", name=name)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def tab(self, name: str) -> Locator:
        return self.page.get_by_role("tab", name=name)

    def box(self, label: str) -> Locator:
        """The field with this label in the visible form: both forms have an email field."""
        return self.page.get_by_label(label, exact=True).and_(self.page.locator("input:visible"))

    def fact(self, label: str) -> Locator:
        term = self.page.locator("dt", has_text=re.compile(f"^{label}$"))
        return term.locator("xpath=following-sibling::dd")

    def calls(self, path: str) -> int:
        return sum(request.url == self.url + path for request in self.requests)

    def bodies(self, path: str) -> list[dict[str, Any]]:
        """The JSON bodies that were sent to this path, in order."""
        url = self.url + path
        return [json.loads(seen.post_data or "") for seen in self.requests if seen.url == url]

    def stored(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate("({ ...sessionStorage })")
        return found

    # Actions of a person ---------------------------------------------------------------------

    def fill_registration(self, person: Person) -> None:
        """Fill all fields at once. The tests of the keyboard type instead."""
        self.box("First Name").wait_for()
        self.page.evaluate(FILL, vars(person))

    def submit_registration(self, person: Person) -> None:
        self.fill_registration(person)
        self.button("Register with a passkey").click()

    def register(self, person: Person | None = None) -> Person:
        """Open the page, register, and wait for the profile."""
        chosen = person or Person()
        self.open()
        self.submit_registration(chosen)
        expect(self.countdown).to_be_visible()
        return chosen

    def sign_out(self) -> None:
        self.button("Sign out (Logout)").click()

    def register_and_sign_out(self) -> Person:
        chosen = self.register()
        self.sign_out()
        expect(self.heading("Welcome back")).to_be_visible()
        return chosen

    def answer(self, path: str, status: int, **details: Any) -> None:
        """From now on answer this path in place of the service."""
        headers = details.pop("headers", {})
        body = {"status": status, "detail": "", "request_id": "r-123", **details}
        self.page.route(
            f"**{path}",
            lambda route: route.fulfill(
                status=status,
                headers=headers,
                body=json.dumps(body),
                content_type="application/problem+json",
            ),
        )

    def sign_in(self, email: str = "") -> None:
        """Sign in, with an email or with whatever passkey the device offers."""
        self.box("Email").fill(email)
        self.button("Sign in with a passkey").click()
