"""Runs axe-core (from its Python package) in the page.

The debugger evaluates it, so the Content-Security-Policy does not block it.
"""

from functools import cache
from importlib.resources import files

from playwright.sync_api import Page

RUN = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'] });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
}"""


@cache
def _source() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """The rules that the page breaks, best practices included, with the elements."""
    page.evaluate(_source())
    found: list[str] = page.evaluate(RUN)
    return found
