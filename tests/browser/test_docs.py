"""Swagger UI from static/vendor: it needs no internet, and obeys the Content-Security-Policy."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenDemo
from tests.browser.demo import Demo
from tests.browser.test_delivery import VIOLATIONS

# Every endpoint, and one schema. More schemas take seconds and show nothing new.
OPEN_EVERYTHING = """() => {
  document.querySelectorAll('.opblock-summary-control').forEach((button) => button.click());
  document.querySelector('.json-schema-2020-12-expand-deep-button').click();
}"""


def open_docs(demo: Demo) -> None:
    demo.page.add_init_script(VIOLATIONS)
    demo.open("/docs")
    expect(demo.page.locator(".opblock").first).to_be_visible()


def authorize(page: Page, token: str) -> None:
    page.locator(".auth-wrapper .authorize").first.click()
    dialog = page.locator(".modal-ux")
    dialog.get_by_role("textbox").fill(token)
    dialog.locator(".authorize").click()
    dialog.locator(".btn-done").click()


def test_the_docs_list_the_endpoints_under_their_tags_without_the_internet(demo: Demo) -> None:
    open_docs(demo)
    for tag in ("Registration", "Login", "Protected Endpoints"):
        expect(demo.page.locator(".opblock-tag", has_text=tag)).to_be_visible()
    expect(demo.page.locator(".auth-wrapper .authorize")).to_be_visible()
    assert {request.url.split("/")[2] for request in demo.requests} == {demo.url.split("/")[2]}


def test_a_token_from_the_page_reads_the_user_through_the_docs(demo: Demo) -> None:
    person = demo.register()
    stored = demo.stored()
    open_docs(demo)
    authorize(demo.page, stored["webauthn_jwt"])
    operation = demo.page.locator(".opblock-get", has_text="/users/{")
    operation.locator(".opblock-summary-control").click()
    operation.locator(".parameters input").fill(stored["webauthn_user_id"])
    operation.locator(".execute").click()
    answer = operation.locator(".live-responses-table .response").first
    expect(answer.locator(".response-col_status")).to_contain_text("200")
    expect(answer).to_contain_text(person.email)


def test_opening_every_endpoint_breaks_no_rule_of_the_policy(demo: Demo) -> None:
    open_docs(demo)
    demo.page.evaluate(OPEN_EVERYTHING)
    expect(demo.page.locator(".opblock:not(.is-open)")).to_have_count(0)
    assert demo.page.evaluate("violations") == []


def test_the_docs_follow_the_colour_scheme(open_demo: OpenDemo) -> None:
    demo = open_demo("dark")
    open_docs(demo)
    expect(demo.page.locator("html")).to_have_class("dark-mode")
    demo.page.emulate_media(color_scheme="light")
    expect(demo.page.locator("html")).to_have_class("")
