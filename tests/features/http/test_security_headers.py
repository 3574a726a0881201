"""What every answer carries against framing, sniffing and script from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from routes.pages import STATIC
from tests.conftest import StartService
from tests.support.service import JANE, Service

ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
# Each kind of answer there is, refusals included.
ANSWERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "the page": ("GET", "/", {}),
    "the docs": ("GET", "/docs", {}),
    "a style sheet": ("GET", "/static/css/app.css", {}),
    "the OpenAPI document": ("GET", "/openapi.json", {}),
    "options": ("POST", "/login/begin", {"json": {}}),
    "a redirect": ("POST", "/users", {"json": JANE}),
    "401": ("GET", "/users/x", {}),
    "404": ("GET", "/nowhere", {}),
    "404 of a file": ("GET", "/static/nothing.js", {}),
    "405": ("PUT", "/login", {}),
    "413": ("POST", "/login/begin", {"content": b" " * 40_000}),
    "422": ("POST", "/login/begin", {"json": []}),
}
API_ANSWERS = [name for name in ANSWERS if name not in ("the page", "the docs", "a style sheet")]


def policy(value: str) -> dict[str, list[str]]:
    """A Content-Security-Policy, taken apart."""
    parts = [part.split() for part in value.split(";")]
    return {part[0]: part[1:] for part in parts}


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_answer_carries_the_security_headers(shared: Service, kind: str) -> None:
    """B10: pages, data and refusals alike."""
    method, path, options = ANSWERS[kind]
    headers = shared.request(method, path, **options).headers
    assert {name: headers[name] for name in ALWAYS} == ALWAYS
    assert all(len(headers.get_list(name)) == 1 for name in ALWAYS)
    assert "publickey-credentials-create=(self)" in headers["permissions-policy"]
    assert "publickey-credentials-get=(self)" in headers["permissions-policy"]
    assert "camera=()" in headers["permissions-policy"]


@pytest.mark.parametrize("kind", ANSWERS)
def test_no_answer_may_be_framed_or_run_foreign_script(shared: Service, kind: str) -> None:
    """B10: a Content-Security-Policy on everything, with no way around it."""
    method, path, options = ANSWERS[kind]
    sources = policy(shared.request(method, path, **options).headers["content-security-policy"])
    assert sources["default-src"] == ["'none'"]
    assert sources["frame-ancestors"] == ["'none'"]
    assert sources.get("script-src", ["'self'"]) == ["'self'"]
    said = {source for values in sources.values() for source in values}
    assert not said & {"'unsafe-eval'", "*", "https:", "http:", "blob:"}


@pytest.mark.parametrize("kind", API_ANSWERS)
def test_data_and_refusals_load_nothing_and_are_kept_by_nobody(shared: Service, kind: str) -> None:
    """B10: an answer of the API is never a page, and never in a cache."""
    method, path, options = ANSWERS[kind]
    answer = shared.request(method, path, **options)
    if not path.startswith("/static/"):
        assert set(policy(answer.headers["content-security-policy"])) == {
            "default-src",
            "frame-ancestors",
        }
    assert answer.headers["cache-control"] == "no-store"


def test_the_page_may_set_no_style_inline(shared: Service) -> None:
    """B10: the sign-in page is as strict for styles as for scripts."""
    sources = policy(shared.get("/").headers["content-security-policy"])
    assert sources["style-src"] == ["'self'"]
    assert sources["base-uri"] == ["'none'"]
    assert sources["form-action"] == ["'none'"]


class Inline(HTMLParser):
    """Collects whatever a strict policy would block, or a careless one let through."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and "src" not in given:
            self.found.append("script")
        self.found += [name for name in given if name.startswith("on") or name == "style"]
        foreign = re.compile(r"(https?:)?//|javascript:", re.IGNORECASE)
        self.found += [value for value in given.values() if value and foreign.match(value)]


@pytest.mark.parametrize("page", ["index.html", "docs.html"])
def test_the_pages_have_no_inline_script_and_load_nothing_from_elsewhere(page: str) -> None:
    """B10: everything is under /static, so the policy costs nothing."""
    parser = Inline()
    parser.feed((STATIC / page).read_text("utf-8"))
    assert parser.found == []


def test_the_page_writes_text_and_never_markup() -> None:
    """B10: a name of `<img onerror>` stays a name: no script of ours builds HTML from text."""
    sinks = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    )
    guilty = [file.name for file in STATIC.glob("js/*.js") if sinks.search(file.read_text("utf-8"))]
    assert guilty == []


def test_a_name_of_markup_comes_back_as_json_and_nothing_else(shared: Service) -> None:
    """B10: what could be markup is data: its type is JSON, and nobody may sniff another."""
    answer = shared.post("/register/begin", {**JANE, "first_name": "<img src=x onerror=alert(1)>"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_https_is_for_good_once_every_origin_has_it(start_service: StartService) -> None:
    """B10: Strict-Transport-Security on https, and none on a developer's machine."""
    secret = "0123456789abcdef0123456789abcdef"
    secure = start_service(
        rp_id="example.com", origin=("https://login.example.com",), jwt_secret=secret
    )
    for method, path, options in ANSWERS.values():
        headers = secure.request(method, path, **options).headers
        assert headers["strict-transport-security"].startswith("max-age=63072000")


def test_plain_http_on_localhost_is_not_told_to_use_https(shared: Service) -> None:
    """B10: a browser would refuse every other service of that developer's localhost."""
    assert "strict-transport-security" not in shared.get("/").headers
