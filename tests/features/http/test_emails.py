"""Email addresses: one canonical form per mailbox, and nothing that only looks like one."""

from __future__ import annotations

import unicodedata

import pytest

from devtools.authenticator import SoftAuthenticator
from tests.conftest import StartService
from tests.features.http.problems import invalid, problem
from tests.support.cases import crossed
from tests.support.service import JANE, Service, person

# The same mailbox, spelled in other ways: each belongs to the account of the first.
SPELLINGS = {
    "upper case": ("jane@example.com", "JANE@EXAMPLE.COM"),
    "mixed case": ("Jane@Example.com", "jANE@eXAMPLE.COM"),
    "upper case outside ASCII": ("jané@example.com", "JANÉ@example.com"),
    "decomposed": ("jané@example.com", unicodedata.normalize("NFD", "jané@example.com")),
    "punycode": ("jane@bücher.example", "jane@xn--bcher-kva.example"),
    "punycode in upper case": ("jane@bücher.example", "jane@XN--BCHER-KVA.example"),
    "an IDN in upper case": ("jane@bücher.example", "jane@BÜCHER.example"),
    "a decomposed IDN": ("jane@bücher.example", "jane@bu\u0308cher.example"),
    "an ideographic full stop": ("jane@example.com", "jane@example\u3002com"),
    "final sigma": ("σσ@example.com", "σς@example.com"),
    "a Turkish dotted capital": ("ipek@example.com", "\u0130pek@example.com"),
    "a Turkish dotted capital, decomposed": ("ipek@example.com", "I\u0307PEK@example.com"),
    "a dotted capital, folded": ("ipek@example.com", "i\u0307pek@example.com"),
    "a dotted capital in the domain": ("jane@bilgi.example", "jane@B\u0130LG\u0130.example"),
}
REFUSED = {
    "full-width letters": "\uff4a\uff41\uff4e\uff45@example.com",
    "a full-width letter in the domain": "jane@\uff45xample.com",
    "a full-width full stop": "jane@example\uff0ecom",
    "a Kelvin sign": "\u212aane@example.com",
    "a Kelvin sign in the domain": "jane@\u212aiwi.example",
    "a long s": "\u017fane@example.com",
    "a ligature": "\ufb01ona@example.com",
    "a superscript": "jane\u00b2@example.com",
    "a Cyrillic letter among Latin ones": "j\u0430ne@example.com",
    "a Cyrillic letter in the domain": "jane@ex\u0430mple.com",
    "a Cyrillic letter in punycode": "jane@xn--pple-43d.com",
    "a Cyrillic letter in punycode, in capitals": "jane@XN--PPLE-43D.com",
    "a Cyrillic letter in punycode, in a subdomain": "jane@mail.xn--pple-43d.com",
    "a Greek letter in punycode": "jane@xn--exmple-qxe.com",
    "a Turkish dotless i": "\u0131s\u0131l@example.com",
    "a Turkish dotless i in the domain": "jane@\u0131s\u0131l.example",
    "a Turkish dotless i in punycode": "jane@xn--sl-gpab.example",
    "a Greek letter among Latin ones": "j\u03b1ne@example.com",
    "a name before it": "Jane <jane@example.com>",
    "angle brackets": "<jane@example.com>",
    "a scheme": "mailto:jane@example.com",
    "two addresses": "jane@example.com,bob@example.com",
    "a leading space": " jane@example.com",
    "a trailing space": "jane@example.com ",
    "a trailing line feed": "jane@example.com\n",
    "a no-break space": "\u00a0jane@example.com",
    "a space inside": "ja ne@example.com",
    "a header injected": "jane@example.com\r\nBcc: bob@example.com",
    "an escape sequence": "\x1b[31mjane@example.com",
    "a line separator": "jane\u2028@example.com",
    "a right-to-left override": "jane\u202e@example.com",
    "a zero-width space": "jane\u200b@example.com",
    "a zero-width joiner": "jane\u200d@example.com",
    "a soft hyphen": "ja\u00adne@example.com",
    "a variation selector": "jane\ufe0f@example.com",
    "a combining grapheme joiner": "ja\u034fne@example.com",
    "a Hangul filler": "jane\u115f@example.com",
    "a quoted local part": '"jane doe"@example.com',
    "an address literal": "jane@[127.0.0.1]",
    "no domain": "jane@",
    "no local part": "@example.com",
    "no at sign": "jane.example.com",
    "two at signs": "jane@doe@example.com",
    "no top level": "jane@localhost",
    "two dots": "jane..doe@example.com",
    "a trailing dot": "jane@example.com.",
    "an underscore in the domain": "jane@exa_mple.com",
    "broken punycode": "jane@xn--zzzzzz.example",
    "255 characters": "jane@" + ".".join(["e" * 49] * 5) + ".ex",
    "20 kB": "j" * 20_000 + "@example.com",
}


@pytest.mark.parametrize(("first", "second"), SPELLINGS.values(), ids=SPELLINGS)
def test_two_spellings_are_one_account(
    service: Service, device: SoftAuthenticator, first: str, second: str
) -> None:
    """B4: the second spelling cannot be registered again, and logs into the account."""
    user = service.register(device, {**JANE, "email": first})
    problem(
        service.post("/register/begin", {**JANE, "email": second}), 409, "registration_not_possible"
    )
    answer = service.try_login(device, second)
    assert answer.json()["user"]["id"] == user["id"]
    assert answer.json()["user"]["email"] == user["email"]


@pytest.mark.parametrize(("first", "second"), SPELLINGS.values(), ids=SPELLINGS)
def test_two_spellings_share_their_rate_limit(
    start_service: StartService, first: str, second: str
) -> None:
    """B4: nobody gets another three tries by typing the address differently."""
    service = start_service(rate_limit_email=3)
    for email in (first, second, first):
        assert service.post("/login/begin", {"email": email}).status_code == 200
    problem(service.post("/login/begin", {"email": second}), 429, "rate_limited")


@pytest.mark.parametrize(("path", "name"), crossed(["/register/begin", "/login/begin"], REFUSED))
def test_what_only_looks_like_an_address_is_refused(shared: Service, path: str, name: str) -> None:
    """B4: 422 at the field, and nothing of it comes back."""
    email = REFUSED[name]
    form = {**JANE, "email": email} if path == "/register/begin" else {"email": email}
    (error,) = invalid(shared.post(path, form))
    assert (error["pointer"], error["code"]) == ("/email", "email")


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        ("jane@printer.local", "Must not end in a name for special use, like .local"),
        ("jane@localhost", "Must not end in a name for special use"),
        ("\u0131s\u0131l@example.com", "Must be written with i, not with the dotless \u0131"),
        ("jane@xn--pple-43d.com", "Must not mix alphabets"),
        ("j\u0430ne@example.com", "Must not mix alphabets"),
        ("j" * 250 + "@example.com", "Must have at most 254 characters"),
        ("jane", "Must be a plain email address"),
    ],
)
def test_a_refused_address_is_told_why(shared: Service, email: str, reason: str) -> None:
    """B4: a person can put it right; the address itself is not repeated."""
    (error,) = invalid(shared.post("/login/begin", {"email": email}))
    assert error["message"].startswith(reason)


@pytest.mark.parametrize(
    "email",
    ["o'brien@example.com", "jane+tag@example.com", "日本@example.com", "j" * 64 + "@example.com"],
)
def test_an_unusual_address_is_an_address(shared: Service, email: str) -> None:
    """B4: the rules do not shut people out."""
    assert shared.post("/register/begin", {**JANE, "email": email}).status_code == 200


def test_the_address_is_kept_as_it_was_typed_beside_its_canonical_form(
    service: Service, device: SoftAuthenticator
) -> None:
    """B4: the canonical form is the account, the typed one is for display."""
    user = service.register(device, person("jane", email="Jane.Doe@Example.COM"))
    assert user["email"] == "jane.doe@example.com"
    assert user["email_typed"] == "Jane.Doe@Example.COM"
    assert service.rows("SELECT email FROM users") == [{"email": "jane.doe@example.com"}]
