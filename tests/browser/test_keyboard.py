"""Everything works without a mouse, and the focus is always on the right element."""

from playwright.sync_api import Page, expect

from tests.browser.demo import Demo, Person

FOCUS_RING = """() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
}"""


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def type_registration(page: Page, person: Person) -> None:
    """Type into all fields, beginning with the focus on the tab list."""
    for text in (person.first_name, person.last_name, person.email):
        press(page, "Tab")
        page.keyboard.type(text)
    press(page, "Tab")
    page.keyboard.type("01151990")  # the field has three parts: month, day and year
    press(page, "Tab")
    if page.evaluate("document.activeElement.type") == "date":  # the calendar button of the field
        press(page, "Tab")
    page.keyboard.type(person.job_title)


def test_registering_and_signing_in_with_the_keyboard_only(demo: Demo) -> None:
    person = Person()
    demo.open()
    demo.box("First Name").wait_for()
    press(demo.page, "Tab")
    expect(demo.tab("Register")).to_be_focused()
    type_registration(demo.page, person)
    press(demo.page, "Enter")
    expect(demo.heading("Jane Doe")).to_be_focused()
    expect(demo.fact("Date of Birth")).to_have_text("January 15, 1990")
    press(demo.page, "Tab", "Tab")
    expect(demo.button("Sign out (Logout)")).to_be_focused()
    press(demo.page, "Enter")
    expect(demo.heading("Welcome back")).to_be_focused()
    press(demo.page, "Tab")
    demo.page.keyboard.type(person.email)
    press(demo.page, "Enter")
    expect(demo.heading("Jane Doe")).to_be_focused()


def test_the_usernameless_button_is_reached_and_pressed_by_keys(demo: Demo) -> None:
    demo.register_and_sign_out()
    press(demo.page, "Tab", "Tab")
    expect(demo.button("Sign in with a passkey")).to_be_focused()
    press(demo.page, "Space")
    expect(demo.heading("Jane Doe")).to_be_focused()


def test_arrows_home_and_end_move_between_the_tabs(demo: Demo) -> None:
    demo.open()
    demo.tab("Register").focus()
    for key, name in [
        ("ArrowRight", "Login"),
        ("ArrowRight", "Register"),
        ("ArrowLeft", "Login"),
        ("Home", "Register"),
        ("End", "Login"),
    ]:
        press(demo.page, key)
        expect(demo.tab(name)).to_be_focused()
        expect(demo.tab(name)).to_have_attribute("aria-selected", "true")
        expect(demo.page.get_by_role("tabpanel", name=name)).to_be_visible()


def test_the_tabs_are_one_stop_of_the_tab_key(demo: Demo) -> None:
    demo.open()
    demo.tab("Register").focus()
    press(demo.page, "Tab")
    expect(demo.box("First Name")).to_be_focused()


def test_every_focused_element_shows_a_focus_ring(demo: Demo) -> None:
    demo.open()
    demo.box("First Name").wait_for()
    for _ in range(10):
        press(demo.page, "Tab")
        assert demo.page.evaluate(FOCUS_RING), demo.page.evaluate(
            "document.activeElement.outerHTML"
        )


def test_the_title_names_the_view(demo: Demo) -> None:
    demo.open()
    expect(demo.page).to_have_title("Register · Auth Example")
    demo.tab("Login").click()
    expect(demo.page).to_have_title("Sign in · Auth Example")
