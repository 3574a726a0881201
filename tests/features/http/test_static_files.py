"""The files of the page: compressed, kept by browsers under their version, and never a mixture."""

from __future__ import annotations

import gzip
import re

import pytest

from routes import pages
from tests.features.http.problems import problem
from tests.support.service import Service

KEPT = "public, max-age=31536000, immutable"
GZIP = {"Accept-Encoding": "gzip"}
PLAIN = {"Accept-Encoding": "identity"}
SCRIPT = "/static/js/main.js"


def links(service: Service, page: str) -> list[str]:
    """The static files that a page names."""
    found: list[str] = re.findall(r'"(/static/[^"]+)"', service.get(page).text)
    return found


@pytest.mark.parametrize("page", ["/", "/docs"])
def test_every_file_that_a_page_names_is_compressed_and_kept_for_good(
    shared: Service, page: str
) -> None:
    assert len(links(shared, page)) >= 5
    for link in links(shared, page):
        assert link.startswith(f"/static/{pages.version()}/")
        answer = shared.get(link, headers=GZIP)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == KEPT
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("page", ["/", "/docs", SCRIPT, f"/static/{'0' * 12}/js/main.js"])
def test_pages_and_files_of_another_version_are_asked_for_again(shared: Service, page: str) -> None:
    """While replicas of two releases serve, either answers for the files of the other."""
    answer = shared.get(page, headers=GZIP)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"
    again = shared.get(page, headers={**GZIP, "If-None-Match": f"W/{answer.headers['etag']}"})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "no-cache"


def test_a_browser_downloads_little(shared: Service) -> None:
    """The size on the wire, as the length says: 60 KB of page and 1.9 MB of Swagger before."""
    sizes = {}
    for page in ("/", "/docs"):
        paths = [page, *links(shared, page)]
        answers = [shared.get(path, headers=GZIP) for path in paths]
        sizes[page] = sum(int(answer.headers["content-length"]) for answer in answers)
    assert sizes["/"] < 36_000
    assert sizes["/docs"] < 600_000


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("GZIP;q=0.5, br", True),
        ("br, gzip;q=0", False),
        ("br, gzip; q=0.00", False),
        ("identity", False),
        ("", False),
        ("x-gzip-like", False),
    ],
)
def test_only_who_takes_gzip_gets_it(shared: Service, accepted: str, packed: bool) -> None:
    answer = shared.get(SCRIPT, headers={"Accept-Encoding": accepted})
    assert ("content-encoding" in answer.headers) is packed
    assert answer.content == (pages.STATIC / "js" / "main.js").read_bytes()
    assert answer.headers["content-type"].startswith("text/javascript")


def test_the_two_forms_of_a_file_have_two_tags(shared: Service) -> None:
    """A cache must not take one for the other (RFC 9110 §8.8.3.3)."""
    tags = {shared.get(SCRIPT, headers=form).headers["etag"] for form in (GZIP, PLAIN)}
    assert len(tags) == 2
    for tag in tags:
        answer = shared.get(SCRIPT, headers={**PLAIN, "If-None-Match": tag})
        assert answer.status_code == (200 if "gzip" in tag else 304)


def test_a_file_is_read_and_not_written(shared: Service) -> None:
    head = shared.request("HEAD", SCRIPT, headers=GZIP)
    assert (head.status_code, head.headers["content-encoding"]) == (200, "gzip")
    problem(shared.post(SCRIPT, {}), 405, "method_not_allowed")


@pytest.mark.parametrize("path", ["", "/", "/js", "/js/main.js", "/js/none.js"])
def test_a_version_is_no_way_to_more_files(shared: Service, path: str) -> None:
    answer = shared.get(f"/static/{pages.version()}/{pages.version()}{path}")
    problem(answer, 404, "not_found")
    assert answer.headers["cache-control"] == "no-store"


def test_another_content_or_name_is_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = pages.files()
    found = {pages.version()}
    name, content = next(iter(before.items()))
    changed = pages.Content.of(name, content.plain + b" ")
    renamed = {f"x{other}": value for other, value in before.items()}
    for files in ({**before, name: changed}, renamed):
        monkeypatch.setattr(pages, "files", lambda files=files: files)
        found.add(pages.version.__wrapped__())
    assert len(found) == 3


def test_the_compressed_bytes_do_not_depend_on_the_time() -> None:
    """Replicas must send the same bytes under one tag."""
    packed = pages.files()["js/main.js"].packed
    assert packed == gzip.compress(pages.files()["js/main.js"].plain, mtime=0)
