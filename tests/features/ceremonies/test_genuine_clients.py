"""What genuine clients send, though it is not what the specification's examples look like.

docs/vectors.md has the table: what is accepted, and what only an attacker sends.
"""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from devtools.authenticator import Flaw, SoftAuthenticator
from devtools.encoding import from_b64url
from devtools.hostile_keys import with_parameters
from tests.features.expect import (
    assert_login_refused,
    assert_nothing_stored,
    assert_registration_refused,
    passkeys,
)
from tests.support.service import JANE, Service

ENCODERS: dict[str, Callable[[bytes], str]] = {
    "padded base64url": lambda data: urlsafe_b64encode(data).decode(),
    "standard base64": lambda data: b64encode(data).decode(),
    "standard base64 without padding": lambda data: b64encode(data).decode().rstrip("="),
}
# Members of client data that some browser writes or wrote, and what a later one may.
MEMBERS: dict[str, dict[str, Any]] = {
    "Chrome's hint that there will be more": {"other_keys_can_be_added_here": "do not compare"},
    "the app of Android": {"androidPackageName": "com.android.chrome"},
    "a token binding of Edge": {"tokenBinding": {"status": "not-supported"}},
    "a token binding in text": {"tokenBinding": "unused"},
    "a token binding without a status": {"tokenBinding": {}},
    "an empty token binding": {"tokenBinding": None},
    "the hash of Firefox 60": {"hashAlgorithm": "SHA-256", "clientExtensions": {}},
    "a null top origin": {"topOrigin": None},
    "a later member": {"remoteDesktopClientOverride": {"origin": "https://a.example"}, "new": []},
}
IGNORED: dict[str, Any] = {
    "authenticatorAttachment": ["", None, "cross-platform", "a-later-one"],
    "clientExtensionResults": ["", None, {}, {"credProps": {}, "later": [1]}],
}


def spelled(credential: Any, encode: Callable[[bytes], str], *, names: tuple[str, ...]) -> Any:
    """The credential with its binary members in another encoding, and `names` of the outer ones."""
    edited = deepcopy(credential)
    for name, value in credential["response"].items():
        if name != "transports" and isinstance(value, str):
            edited["response"][name] = encode(from_b64url(value))
    for name in names:
        edited[name] = encode(from_b64url(credential[name]))
    return edited


@pytest.mark.parametrize("names", [("rawId",), ("id", "rawId")], ids=" ".join)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_client_may_encode_bytes_in_any_base64(
    service: Service, encoder: str, names: tuple[str, ...]
) -> None:
    # An id of 32 bytes with characters that the alphabets spell differently, and padding.
    device, encode = SoftAuthenticator(), ENCODERS[encoder]
    flaw = Flaw(credential_id=b"\xfb\xef\xbe\xff" * 8)
    credential = device.create(service.begin_registration(), flaw=flaw)
    answer = service.complete_registration(JANE["email"], spelled(credential, encode, names=names))
    assert answer.status_code == 201
    for email in (JANE["email"], None):
        assertion = device.get(service.begin_login(email))
        answer = service.complete_login(email, spelled(assertion, encode, names=names))
        assert answer.status_code == 200


@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_challenge_inside_is_still_one_text(service: Service, encoder: str) -> None:
    """A7: how the client data are encoded is free, what they say is not."""
    device, encode = SoftAuthenticator(), ENCODERS[encoder]
    options = service.begin_registration()
    other = encode(from_b64url(options["challenge"]))
    if other == options["challenge"]:
        other += "="
    credential = device.create(options, flaw=Flaw(challenge=other))
    answer = service.complete_registration(JANE["email"], credential)
    assert_registration_refused(service, answer, "no_ceremony")
    assert_nothing_stored(service)


def test_two_ids_that_are_not_the_same_bytes_are_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A12: whichever of the two a reader takes, it is the attested one."""
    flaw = Flaw(credential={"id": "AAAA"})
    assert_login_refused(service, service.try_login(device, flaw=flaw), "id_and_raw_id_differ")


def test_an_empty_user_handle_is_none(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """Safari sends it where a security key returned none; an email names the account then."""
    flaw = Flaw(response={"userHandle": ""})
    assert service.try_login(device, flaw=flaw).status_code == 200
    assert_login_refused(service, service.try_login(device, None, flaw=flaw), "user_handle_missing")


@pytest.mark.parametrize("name", MEMBERS)
def test_members_of_client_data_that_browsers_add_mean_nothing(
    service: Service, device: SoftAuthenticator, name: str
) -> None:
    flaw = Flaw(client_data_members=MEMBERS[name])
    service.register(device, flaw=flaw)
    assert service.try_login(device, flaw=flaw).status_code == 200


@pytest.mark.parametrize(
    ("member", "value"),
    [(member, value) for member, values in IGNORED.items() for value in values],
    ids=repr,
)
def test_members_of_the_credential_that_nobody_reads_may_hold_anything(
    service: Service, device: SoftAuthenticator, member: str, value: Any
) -> None:
    flaw = Flaw(credential={member: value})
    service.register(device, flaw=flaw)
    assert service.try_login(device, flaw=flaw).status_code == 200


@pytest.mark.parametrize("transports", ["", None, [], ["internal", "a-later-one", None]], ids=repr)
def test_transports_may_be_empty_or_unknown(
    service: Service, device: SoftAuthenticator, transports: Any
) -> None:
    service.register(device, flaw=Flaw(response={"transports": transports, "publicKey": ""}))
    assert service.try_login(device).status_code == 200


def test_a_key_with_optional_parameters_is_kept_without_them(
    service: Service, device: SoftAuthenticator
) -> None:
    """A13: a Nitrokey 3 writes `key_ops` into the keys of discoverable credentials."""
    flaw = Flaw(cose_key=with_parameters({2: b"key-1", 4: [2]}))
    service.register(device, flaw=flaw)
    assert service.try_login(device).status_code == 200
    (key,) = passkeys(service)
    assert len(key["public_key"]) == 77


@pytest.mark.parametrize(
    "parameters",
    [{4: [1]}, {4: 2}, {2: "key-1"}, {2: bytes(65)}, {5: bytes(8)}, {-4: bytes(32)}, {"a": 1}],
    ids=repr,
)
def test_a_key_with_any_other_parameter_is_refused(
    service: Service, device: SoftAuthenticator, parameters: dict[Any, Any]
) -> None:
    """A13: a private key, another use, and what no specification names."""
    flaw = Flaw(cose_key=with_parameters(parameters))
    credential = device.create(service.begin_registration(), flaw=flaw)
    answer = service.complete_registration(JANE["email"], credential)
    assert_registration_refused(service, answer, "public_key")
    assert_nothing_stored(service)
