"""What people type, as Hypothesis strategies: honest, unusual, and hostile on purpose."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# The same examples in every run: a failure here is a failure everywhere.
steady = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=250,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
over_http = settings(steady, max_examples=50)

ALNUM = string.ascii_letters + string.digits
# But for the dotless i, whose capital is the capital of another letter.
ACCENTED = "àéîõüçñåøæœßşğčřžłđαβγδεζηθπστφωщжяюбгдлт"
TLDS = ("com", "org", "net", "de", "co.uk", "рф", "ελ", "みんな")
HOSTS = ("example", "müller", "bücher", "παράδειγμα", "пример", "例え", "xn--mnchen-3ya", "a1-b2")
# Letters that become others when they are normalized or folded, and what draws nothing.
FOLDED = "ſKÅﬁＡ１İıßẞΐǰŉᾳς\u0345"
HIDDEN = "\u0301\u0316\u200b\u200d\u2060\ufeff\u202e\u00ad\u034f\u3164"
TRICKY = FOLDED + HIDDEN + "\u3002\uff0e\uff20\0\r\n\t "

local_parts = st.builds(
    "".join,
    st.lists(st.sampled_from([*ALNUM, *ACCENTED, *"._+-'!#"]), min_size=1, max_size=20),
)
domains = st.builds("{}.{}".format, st.sampled_from(HOSTS), st.sampled_from(TLDS))
addresses = st.builds("{}@{}".format, local_parts, domains)
# Any text at all, and text that nearly is an address.
tricky_text = st.text(st.sampled_from([*TRICKY, *ALNUM, *ACCENTED, *'@.<>"()[],;:']), max_size=40)
tricky_addresses = st.builds(
    "{}@{}".format,
    st.text(st.sampled_from([*TRICKY, *"abcXYZ.+"]), min_size=1, max_size=70),
    st.one_of(domains, tricky_text),
)
any_addresses = st.one_of(addresses, tricky_addresses, tricky_text, st.text(max_size=300))


def _punycode(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode()}"


SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "in capitals": str.upper,
    "in small letters": str.lower,
    "case exchanged": str.swapcase,
    "NFC": lambda address: unicodedata.normalize("NFC", address),
    "NFD": lambda address: unicodedata.normalize("NFD", address),
    "NFD in capitals": lambda address: unicodedata.normalize("NFD", address.upper()),
    "domain in punycode": _punycode,
    "domain in punycode, in capitals": lambda address: _punycode(address).upper(),
}
"""Other spellings of one address. Each keeps the mailbox."""

DISGUISES: Mapping[str, Callable[[str], str]] = {
    "a display name": "Jane <{}>".format,
    "angle brackets": "<{}>".format,
    "a space before": " {}".format,
    "a space after": "{} ".format,
    "a line feed after": "{}\n".format,
    "NUL after": "{}\0".format,
    "a comma and another": "{},jane@example.com".format,
    "mailto": "mailto:{}".format,
    "a comment": "(x){}".format,
    "two ats": lambda address: address.replace("@", "@@"),
    "a full-width at": lambda address: address.replace("@", "＠"),
    "a full-width letter": lambda address: "ａ" + address,
    "a Kelvin sign": lambda address: "\u212a" + address,
    "a ligature": lambda address: "ﬁ" + address,
    "a zero-width space": lambda address: "a\u200b" + address,
    "a direction override": lambda address: "\u202e" + address,
    "a soft hyphen": lambda address: "a\u00ad" + address,
    "a Cyrillic a among Latin": lambda address: "latin\u0430" + address,
    "an address literal": lambda address: address.rpartition("@")[0] + "@[127.0.0.1]",
    "no dot": lambda address: address.rpartition("@")[0] + "@localhost",
    "no domain": lambda address: address.rpartition("@")[0] + "@",
    "no mailbox": lambda address: "@" + address.rpartition("@")[2],
}
"""What must be refused, whatever sound address it is made from."""

MARKS = "\u0301\u0308\u0344\u0958\u1f82\u1112\u1161\u11ab\u200c\u200d\u00a0\u3000\t"
NAME_LETTERS = "aZéßÅñ張伟가می '-." + MARKS
names = st.one_of(
    st.text(st.sampled_from([*NAME_LETTERS]), max_size=130),
    st.text(st.characters(codec="utf-8"), max_size=30),
    st.text(st.sampled_from([*NAME_LETTERS, *TRICKY, "\U000e0041", "\ue000"]), max_size=12),
)

days = st.dates().map(lambda day: day.isoformat())
times = st.sampled_from(
    ["", "T00:00:00Z", "T23:59", "T12:30:00.5+14:00", "T24:00Z", "T00:60Z", "Z"]
)
digits = st.from_regex(r"[0-9]{3,5}-[0-9]{1,3}-[0-9]{1,3}(T[0-9:.+Z-]{0,12})?", fullmatch=True)
dates = st.one_of(st.builds("{}{}".format, days, times), digits, st.text(max_size=30))


def form(**fields: Any) -> dict[str, Any]:
    """A registration form, sound but for what is given."""
    return {
        "first_name": "Jane",
        "last_name": "Doe",
        "email": "jane@example.com",
        "date_of_birth": "1990-01-15",
        "job_title": "Engineer",
        **fields,
    }
