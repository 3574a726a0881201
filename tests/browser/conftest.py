"""One service and one browser for all of these tests, and a new browser profile for each test.

The scope of the fixtures is the package, not the session: while Playwright's synchronous interface
is open, its event loop counts as running in this thread, so tests elsewhere could not start theirs.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ViewportSize, sync_playwright

from tests.browser.chromium import ARGUMENTS, MISSING, find_chromium
from tests.browser.demo import Demo
from tests.browser.service import ServiceUnderTest

ACTION_TIMEOUT_MS = 8_000
HERE = Path(__file__).parent

Scheme = Literal["light", "dark"]
OpenDemo = Callable[..., Demo]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceUnderTest]:
    service = ServiceUnderTest(tmp_path_factory.mktemp("service"))
    try:
        service.wait()
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="package")
def chromium() -> str:
    """The path of the browser. Without one the tests are skipped, but in CI they fail."""
    path = find_chromium()
    if path is None and os.environ.get("CI") == "true":
        pytest.fail(MISSING)
    if path is None:
        pytest.skip(MISSING)
    return path


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def open_demo(browser: Browser, live_server: ServiceUnderTest) -> Iterator[OpenDemo]:
    """Opens pages in new profiles. After the test, any console error or warning fails it."""
    opened: list[Demo] = []

    def make(
        scheme: Scheme = "light", width: int = 1100, height: int = 900, autofill: bool = False
    ) -> Demo:
        size: ViewportSize = {"width": width, "height": height}
        # Without animations a test need not wait for their end.
        context = browser.new_context(
            viewport=size, color_scheme=scheme, locale="en-US", reduced_motion="reduce"
        )
        context.set_default_timeout(ACTION_TIMEOUT_MS)
        page = context.new_page()
        opened.append(Demo(page, live_server.url, autofill=autofill))
        return opened[-1]

    yield make
    for demo in opened:
        demo.page.context.close()
    assert [fault for demo in opened for fault in demo.faults] == []


@pytest.fixture
def demo(open_demo: OpenDemo) -> Demo:
    return open_demo()


@pytest.fixture(scope="package")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for screenshots: SCREENSHOT_DIR, or a temporary one."""
    given = os.environ.get("SCREENSHOT_DIR")
    folder = Path(given) if given else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
