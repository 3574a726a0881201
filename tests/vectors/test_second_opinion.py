"""py_webauthn as the second opinion on logins, which this service verifies by its own procedure.

The two must agree on every recorded assertion, on the recorded ones with one bit changed, and on
assertions that a passkey made of software signed over a flaw. Where they differ, this service is
the stricter one, for a reason that stands in `STRICTER`.
"""

from __future__ import annotations

from functools import cache

import cbor2
import pytest

from core.relying_party.cose_key import OFFERED
from devtools.authenticator import OMIT, Flaw
from devtools.hostile_text import same_bytes_other_text
from devtools.options import CHALLENGE
from tests.vectors.opinions import Case, librarys_opinion, our_opinion, recorded, signed, tampered
from tests.vectors.source import vectors

# Why this service refuses what py_webauthn accepts, by the word in the audit row.
STRICTER = {
    "cross_origin": "No page of this service runs in a frame of another origin.",
    "top_origin": "The same. py_webauthn does not read this member.",
    "challenge": "Compared as text. py_webauthn compares bytes, to which several texts decode.",
    "client_data_malformed": "No byte order mark and no member twice (core/strict_json.py).",
    "authenticator_data_malformed": "Extensions must be a map. py_webauthn takes any CBOR value.",
    "backup_eligibility_changed": "Step 19. py_webauthn does not get the stored value.",
    "user_handle": "Step 6. py_webauthn leaves the user handle to its caller.",
    "user_handle_missing": "The same, for a login that began without an email.",
    "length_userHandle": "A user handle has at most 64 bytes (WebAuthn L3 §5.4.3).",
    "key_not_registered": (
        "A registration accepts only ES256, EdDSA with Ed25519, and RS256. py_webauthn also "
        "verifies ES512 and ML-DSA."
    ),
}
# Why py_webauthn refuses what this service accepts, by the flaw.
LOOSER = {
    "an unknown attachment": "Unknown values of an enumeration mean nothing (WebAuthn L3 §2.1.1).",
    "a token binding not supported": "WebAuthn L3 has no token binding; the member is ignored.",
}
# A prime, so that the bits that are changed lie differently in each assertion.
STRIDE = 5
ASSERTIONS = [recorded(vector) for vector in vectors() if not vector.is_registration]
RECORDED = {case.name: case for case in ASSERTIONS}
SOUND = [case.name for case in ASSERTIONS if our_opinion(case, user_verification=False).accepts]
SPELLINGS = same_bytes_other_text(CHALLENGE)
FLAWS = {
    "no flaw": Flaw(),
    "another type": Flaw(type="webauthn.create"),
    "another challenge": Flaw(challenge="A" * 43),
    **{f"a challenge with {how}": Flaw(challenge=text) for how, text in SPELLINGS.items()},
    "another origin": Flaw(origin="http://evil.example"),
    "an origin of another port": Flaw(origin="http://localhost:8001"),
    "in a frame": Flaw(cross_origin=True),
    "under another page": Flaw(top_origin="http://localhost:8000"),
    "without a type": Flaw(client_data_members={"type": OMIT}),
    "without an origin": Flaw(client_data_members={"origin": OMIT}),
    "without a challenge": Flaw(client_data_members={"challenge": OMIT}),
    "an origin in a list": Flaw(client_data_members={"origin": ["http://localhost:8000"]}),
    "an unknown member": Flaw(client_data_members={"extra": [1]}),
    "an old token binding": Flaw(client_data_members={"tokenBinding": {"status": "supported"}}),
    "a token binding of old U2F": Flaw(client_data_members={"tokenBinding": "unused"}),
    "a token binding not supported": Flaw(
        client_data_members={"tokenBinding": {"status": "not-supported"}}
    ),
    "a byte order mark": Flaw(client_data=lambda honest: b"\xef\xbb\xbf" + honest),
    "a member twice": Flaw(client_data=lambda honest: b'{"type":"webauthn.get",' + honest[1:]),
    "client data of nothing": Flaw(client_data=b"null"),
    "another RP": Flaw(rp_id="evil.example"),
    "nobody present": Flaw(up=False),
    "nobody verified": Flaw(uv=False),
    "backed up, not eligible": Flaw(be=False, bs=True),
    "eligible now": Flaw(be=True),
    "bit 1": Flaw(rfu1=True),
    "bit 5": Flaw(rfu2=True),
    "a byte too many": Flaw(trailing_authenticator_data=b"\0"),
    "cut off": Flaw(authenticator_data=lambda honest: honest[:36]),
    "announced extensions missing": Flaw(ed=True),
    "extensions": Flaw(extensions={"credProtect": 2}),
    "extensions that are a list": Flaw(extensions=[]),
    "extensions with a long head": Flaw(extensions=b"\xb8\x01\x61\x61\xf5"),
    "the count stays 0": Flaw(sign_count=0),
    "the largest count": Flaw(sign_count=2**32 - 1),
    "a bit of the signature": Flaw(flip_signature_bit=True),
    "no signature": Flaw(signature=b""),
    "a signature cut off": Flaw(signature=lambda honest: honest[:-1]),
    "a signature and a byte": Flaw(signature=lambda honest: honest + b"\0"),
    "another user handle": Flaw(user_handle=b"bob"),
    "no user handle": Flaw(user_handle=OMIT),
    "a long user handle": Flaw(user_handle=bytes(65)),
    "another raw id": Flaw(raw_id=b"another"),
    "another credential type": Flaw(credential={"type": "password"}),
    "an unknown attachment": Flaw(credential={"authenticatorAttachment": "watch"}),
    "no response": Flaw(credential={"response": None}),
}


AGREED = [name for name in FLAWS if name not in LOOSER]


def difference(case: Case, *, user_verification: bool = True) -> str | None:
    """Our reason, if this service alone refuses the case. None if both say the same.

    Fails if the two accept with different values, or if py_webauthn alone refuses.
    """
    ours = our_opinion(case, user_verification=user_verification)
    librarys = librarys_opinion(case, user_verification=user_verification)
    if librarys.accepts and not ours.accepts:
        return ours.reason
    assert ours.verified == librarys.verified, (case.name, ours, librarys)
    return None


@cache
def by_software(name: str, alg: int) -> Case:
    return signed(name, FLAWS[name], alg)


@pytest.mark.parametrize("user_verification", [True, False])
@pytest.mark.parametrize("name", RECORDED)
def test_both_say_the_same_of_a_recorded_assertion(name: str, user_verification: bool) -> None:
    """A13, A15: but for the policies that are listed."""
    found = difference(RECORDED[name], user_verification=user_verification)
    assert found is None or found in STRICTER


@pytest.mark.parametrize("name", SOUND)
def test_both_refuse_an_assertion_with_one_bit_changed(name: str) -> None:
    """A15: of what is signed, and of the signature."""
    for case in tampered(RECORDED[name], stride=STRIDE):
        assert not our_opinion(case, user_verification=False).accepts, case.name
        assert not librarys_opinion(case, user_verification=False).accepts, case.name


@pytest.mark.parametrize("alg", OFFERED)
@pytest.mark.parametrize("name", AGREED)
def test_both_say_the_same_of_an_assertion_signed_over_a_flaw(name: str, alg: int) -> None:
    """A8, A9, A15: but for the policies that are listed."""
    found = difference(by_software(name, alg))
    assert found is None or found in STRICTER


@pytest.mark.parametrize("alg", OFFERED)
@pytest.mark.parametrize("name", LOOSER)
def test_what_has_no_meaning_is_refused_by_the_library_alone(name: str, alg: int) -> None:
    case = by_software(name, alg)
    assert our_opinion(case, user_verification=True).accepts
    assert not librarys_opinion(case, user_verification=True).accepts


def test_every_listed_policy_refuses_something() -> None:
    """An entry that no case needs would hide a later difference."""
    cases = [by_software(name, OFFERED[0]) for name in AGREED]
    found = {difference(case) for case in cases}
    found |= {difference(case, user_verification=False) for case in ASSERTIONS}
    assert found - {None} == STRICTER.keys()


def test_there_is_something_to_agree_on() -> None:
    """Every offered algorithm is among the recorded assertions that both accept."""
    keys = [cbor2.loads(RECORDED[name].public_key) for name in SOUND]
    assert {key[3] for key in keys} == set(OFFERED)
    assert len(SOUND) >= 18


@pytest.mark.parametrize("count", [1, 2, 2**32 - 1])
def test_both_refuse_a_sign_count_that_does_not_grow(count: int) -> None:
    """A10."""
    case = signed("a count that was used", Flaw(sign_count=count), OFFERED[0], sign_count=count)
    assert our_opinion(case, user_verification=True).reason == "sign_count"
    assert not librarys_opinion(case, user_verification=True).accepts


def test_both_refuse_a_signature_by_another_key() -> None:
    """A15: of the same algorithm."""
    for alg in OFFERED:
        other = signed("another's", Flaw(), alg).public_key
        case = signed("a key of another", Flaw(), alg, public_key=other)
        assert our_opinion(case, user_verification=True).reason == "signature"
        assert not librarys_opinion(case, user_verification=True).accepts
