"""Client data that no browser wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest

from devtools.authenticator import OMIT, Flaw, SoftAuthenticator
from devtools.flaws import RawBytes
from tests.features.expect import assert_login_refused, assert_registration_refused
from tests.support.service import JANE, Service


def twice(honest: bytes) -> bytes:
    return honest[:-1] + b',"origin":"http://localhost:8000"}'


UNREADABLE: dict[str, RawBytes] = {
    "not UTF-8": b"\xff",
    "a byte order mark": lambda honest: b"\xef\xbb\xbf" + honest,
    "UTF-16": lambda honest: honest.decode().encode("utf-16"),
    "not JSON": b"{",
    "a list": b"[]",
    "text": b'"{}"',
    "nested deeply": b"[" * 2000 + b"]" * 2000,
    "a member twice": twice,
    "NaN": lambda honest: honest[:-1] + b',"x":NaN}',
    "a long integer": lambda honest: honest[:-1] + b',"x":' + b"9" * 1000 + b"}",
    "a lone surrogate": lambda honest: honest[:-1] + b',"x":"\\ud800"}',
    "something behind": lambda honest: honest + b"{}",
    "too long": lambda honest: honest[:-1] + b',"x":"' + b"x" * 4096 + b'"}',
}
# The reason is that no challenge was found, or what keeps it from being found.
REASONS = ("no_ceremony", "client_data_malformed", "length_clientDataJSON")


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_login_with_unreadable_client_data_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], name: str
) -> None:
    """A15: the signature covers it and is good."""
    answer = service.try_login(device, flaw=Flaw(client_data=UNREADABLE[name]))
    assert_login_refused(service, answer, *REASONS)


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_registration_with_unreadable_client_data_is_refused(
    service: Service, device: SoftAuthenticator, name: str
) -> None:
    """A15: the same for registrations."""
    flaw = Flaw(client_data=UNREADABLE[name])
    credential = device.create(service.begin_registration(), flaw=flaw)
    answer = service.complete_registration(JANE["email"], credential)
    assert_registration_refused(service, answer, *REASONS)


@pytest.mark.parametrize("value", [OMIT, None, 7, ["webauthn.get"], {}], ids=str)
@pytest.mark.parametrize("member", ["type", "challenge", "origin"])
def test_client_data_with_a_malformed_member_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], member: str, value: object
) -> None:
    """A15: every member that counts is text."""
    answer = service.try_login(device, flaw=Flaw(client_data_members={member: value}))
    assert_login_refused(service, answer, "no_ceremony", f"member_{member}")


def test_client_data_may_be_written_with_spaces_and_in_any_order(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    def another_way(honest: bytes) -> bytes:
        members = json.loads(honest)
        return json.dumps(dict(reversed(members.items())), indent=1).encode()

    answer = service.try_login(device, flaw=Flaw(client_data=another_way))
    assert answer.status_code == 200
