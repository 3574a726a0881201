"""Every view in both colour schemes and on a narrow screen: axe, width, and a screenshot."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import axe
from tests.browser.conftest import OpenDemo, Scheme
from tests.browser.demo import Demo, Person

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Controls that are too small for a finger (WCAG 2.2, 2.5.8).
SMALL = """() => [...document.querySelectorAll('a, button, input, summary')]
  .filter((each) => each.checkVisibility())
  .map((each) => [each.textContent.trim() || each.id, each.getBoundingClientRect()])
  .filter(([, { width, height }]) => width < 24 || height < 24)
  .map(([name, { width, height }]) => `${name}: ${width} x ${height}`)"""
TOO_OLD = "delete window.PublicKeyCredential"
LONG = Person(first_name="Wolfeschlegelsteinhausen" * 3, email=f"{'a' * 60}@{'b' * 60}.example")


class Gallery:
    """Checks views, saves a screenshot of each, and collects their faults."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self.faults: list[str] = []

    def check(self, page: Page, view: str) -> None:
        page.screenshot(path=self._folder / f"{view}-{self._name}.png", full_page=True)
        if (excess := page.evaluate(OVERFLOW)) > 0:
            self.faults.append(f"{view} is {excess} px too wide")
        found = [*axe.violations(page), *page.evaluate(SMALL)]
        self.faults += [f"{view}: {fault}" for fault in found]


def tour(demo: Demo, gallery: Gallery) -> None:
    """Check every view, in the order in which a person sees them."""
    page, person = demo.page, Person()
    demo.open()
    demo.box("First Name").wait_for()
    gallery.check(page, "register")
    demo.button("Register with a passkey").click()
    gallery.check(page, "register-errors")
    demo.submit_registration(person)
    demo.countdown.wait_for()
    gallery.check(page, "profile")
    page.get_by_text("For developers").click()
    gallery.check(page, "profile-developers")
    demo.sign_out()
    gallery.check(page, "login")
    demo.authenticator.forget_all()
    demo.sign_in(person.email)
    demo.button("Create an account").wait_for()
    gallery.check(page, "login-cancelled")
    demo.answer("/login/begin", 500)
    demo.button("Try again").click()
    demo.alert.get_by_role("button").wait_for()
    gallery.check(page, "login-refused")
    page.unroute_all()


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1100), ("dark", 1100), ("light", 320), ("dark", 320)]
)
def test_every_view_is_accessible_and_fits(
    open_demo: OpenDemo, screenshots: Path, scheme: Scheme, width: int
) -> None:
    gallery = Gallery(screenshots, f"{scheme}-{width}")
    tour(open_demo(scheme, width, 800), gallery)
    assert gallery.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_view_for_old_browsers_is_accessible_and_fits(
    open_demo: OpenDemo, screenshots: Path, scheme: Scheme
) -> None:
    demo, gallery = open_demo(scheme, 320, 800), Gallery(screenshots, f"{scheme}-320")
    demo.page.add_init_script(TOO_OLD)
    demo.open()
    demo.heading("Passkeys aren’t available here").wait_for()
    gallery.check(demo.page, "too-old")
    assert gallery.faults == []


def test_long_words_in_a_profile_do_not_widen_a_phone(
    open_demo: OpenDemo, screenshots: Path
) -> None:
    demo, gallery = open_demo("light", 320, 800), Gallery(screenshots, "light-320")
    demo.register(LONG)
    gallery.check(demo.page, "profile-long")
    assert gallery.faults == []


def test_dark_and_light_have_different_colours(open_demo: OpenDemo) -> None:
    def background(scheme: Scheme) -> str:
        demo = open_demo(scheme)
        demo.open()
        colour: str = demo.page.evaluate("getComputedStyle(document.body).backgroundColor")
        return colour

    assert background("light") == "rgb(245, 246, 248)"
    assert background("dark") == "rgb(13, 15, 19)"
