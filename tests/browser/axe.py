"""axe-core, from the package that carries it. The debugger runs it: no policy is in its way."""

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
    """Every rule that the page breaks, the best practices too, and where."""
    page.evaluate(_source())
    found: list[str] = page.evaluate(RUN)
    return found
