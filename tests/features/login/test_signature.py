"""The signature: over exactly what was sent, by exactly the key that was registered."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.authenticator import Flaw, SoftAuthenticator
from devtools.cose import EDDSA, ES256, RS256, generate_private_key
from devtools.encoding import b64url, from_b64url
from tests.features.devices import second_device
from tests.features.expect import assert_login_refused, passkeys
from tests.support.service import JANE, Service

ALGORITHMS = pytest.mark.parametrize("alg", [ES256, EDDSA, RS256], ids=["ES256", "EdDSA", "RS256"])


@ALGORITHMS
def test_a_signature_with_one_bit_off_is_refused(
    service: Service, device: SoftAuthenticator, alg: int
) -> None:
    service.register(device, alg=alg)
    answer = service.try_login(device, flaw=Flaw(flip_signature_bit=True))
    assert_login_refused(service, answer, "signature")


@ALGORITHMS
def test_a_signature_by_another_key_is_refused(
    service: Service, device: SoftAuthenticator, alg: int
) -> None:
    service.register(device, alg=alg)
    answer = service.try_login(device, flaw=Flaw(signing_key=generate_private_key(alg)))
    assert_login_refused(service, answer, "signature")


@ALGORITHMS
@pytest.mark.parametrize("junk", [b"\0", b"text", bytes(64), bytes(256)], ids=len)
def test_junk_for_a_signature_is_refused(
    service: Service, device: SoftAuthenticator, alg: int, junk: bytes
) -> None:
    """A15: of any length, under any algorithm."""
    service.register(device, alg=alg)
    answer = service.try_login(device, flaw=Flaw(signature=junk))
    assert_login_refused(service, answer, "signature")


def test_the_signature_covers_the_authenticator_data(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    def counted_up(text: str) -> str:
        data = bytearray(from_b64url(text))
        data[-1] += 1
        return b64url(bytes(data))

    answer = service.try_login(device, flaw=Flaw(response={"authenticatorData": counted_up}))
    assert_login_refused(service, answer, "signature")


def test_the_signature_covers_the_client_data(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    def spaced(text: str) -> str:
        return b64url(from_b64url(text) + b" ")

    answer = service.try_login(device, flaw=Flaw(response={"clientDataJSON": spaced}))
    assert_login_refused(service, answer, "signature")


def test_another_passkey_of_the_same_user_cannot_sign_for_the_first(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    other = second_device(service, jane).passkeys[0]
    answer = service.try_login(device, flaw=Flaw(signing_key=other.private_key))
    assert_login_refused(service, answer, "signature")


def test_a_refused_login_changes_nothing(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    before = passkeys(service)
    answer = service.try_login(device, flaw=Flaw(sign_count=999, flip_signature_bit=True))
    event = assert_login_refused(service, answer, "signature")
    assert event["details"] == "Login refused for Jane Doe: signature"
    assert passkeys(service) == before
    assert service.try_login(device, JANE["email"]).status_code == 200
