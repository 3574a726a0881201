"""The price of a hostile body: bounded, because whatever is dear is refused before it is parsed."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from devtools.authenticator import OMIT, Flaw, SoftAuthenticator, packed_self, with_raw_statement
from devtools.hostile_cbor import colliding_integer_map, with_colliding_parameters
from devtools.hostile_keys import huge_parameter
from tests.features.cbor_bombs import in_a_member, under_a_name
from tests.features.expect import (
    assert_login_refused,
    assert_nothing_stored,
    assert_registration_refused,
)
from tests.support.service import JANE, Service

MAX_CPU_SECONDS = 0.5
# Browsers send these as well; without them there is more room for what is hostile.
BARE = {"publicKey": OMIT, "authenticatorData": OMIT}
# As many as fit into 16 KiB of attestation object, and into 8 KiB of authenticator data.
MANY, FEWER = 1300, 620
COLLIDING = colliding_integer_map(MANY)
HOSTILE_REGISTRATIONS = {
    "the object itself": Flaw(attestation_object=COLLIDING),
    "the statement": Flaw(attestation_object=with_raw_statement(COLLIDING)),
    "in the statement": Flaw(attestation_object=with_raw_statement(under_a_name(COLLIDING))),
    "the key": Flaw(cose_key=COLLIDING),
    "beside the key": Flaw(cose_key=with_colliding_parameters(MANY)),
    "in the key": Flaw(cose_key=in_a_member(COLLIDING)),
    "in a key that attests": Flaw(cose_key=in_a_member(COLLIDING), attestation=packed_self()),
    "the extensions": Flaw(extensions=COLLIDING),
    "in the extensions": Flaw(extensions=under_a_name(COLLIDING)),
    "in attested extensions": Flaw(extensions=COLLIDING, attestation=packed_self()),
}
MALFORMED = ("attestation_malformed", "authenticator_data_malformed", "public_key")


def cpu_seconds(answer_to: Any) -> tuple[float, httpx.Response]:
    start = time.process_time()
    answer = answer_to()
    return time.process_time() - start, answer


@pytest.mark.parametrize("place", HOSTILE_REGISTRATIONS)
def test_colliding_integers_in_a_registration_are_cheap_to_refuse(
    service: Service, device: SoftAuthenticator, place: str
) -> None:
    """A16: quadratic time, in a map as long as the cap on attestation objects allows."""
    bare = Flaw(**{**vars(HOSTILE_REGISTRATIONS[place]), "response": BARE})
    credential = device.create(service.begin_registration(), flaw=bare)
    spent, answer = cpu_seconds(lambda: service.complete_registration(JANE["email"], credential))
    assert spent < MAX_CPU_SECONDS
    assert_registration_refused(service, answer, *MALFORMED)


@pytest.mark.parametrize("place", ["the extensions", "a passkey that has no place there"])
def test_colliding_integers_in_a_login_are_cheap(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], place: str
) -> None:
    """A16: an attacker may register a passkey of their own, and log in with it."""
    hostile = colliding_integer_map(FEWER)
    flaw = (
        Flaw(extensions=hostile)
        if place == "the extensions"
        else Flaw(at=True, trailing_authenticator_data=bytes(18) + hostile)
    )
    assertion = device.get(service.begin_login(), flaw=flaw)
    spent, answer = cpu_seconds(lambda: service.complete_login(JANE["email"], assertion))
    assert spent < MAX_CPU_SECONDS
    assert_login_refused(service, answer, "authenticator_data_malformed")


def test_an_attestation_object_over_16_kib_is_refused_before_it_is_parsed(
    service: Service, device: SoftAuthenticator
) -> None:
    """A16: the body is within its own cap, and the object would be good if it were shorter."""
    flaw = Flaw(extensions={"a": bytes(16 * 1024)}, response=BARE)
    credential = device.create(service.begin_registration(), flaw=flaw)
    answer = service.complete_registration(JANE["email"], credential)
    assert_registration_refused(service, answer, "length_attestationObject")
    assert_nothing_stored(service)


def test_authenticator_data_over_8_kib_are_refused_before_they_are_parsed(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A16: the same for logins."""
    answer = service.try_login(device, flaw=Flaw(extensions={"a": bytes(8 * 1024)}))
    assert_login_refused(service, answer, "length_authenticatorData")


@pytest.mark.parametrize("path", ["/register/complete", "/login/complete"])
def test_a_body_over_32_kib_is_refused_before_it_is_read(
    service: Service, device: SoftAuthenticator, path: str
) -> None:
    """A16: at no cost, and with no challenge spent."""
    options = service.begin_registration()
    credential = device.create(options, flaw=Flaw(cose_key=huge_parameter(40_000)))
    body = {"email": JANE["email"], "credential": credential, "assertion": credential}
    spent, answer = cpu_seconds(lambda: service.post(path, body))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert spent < MAX_CPU_SECONDS
    honest = SoftAuthenticator().create(options)
    assert service.complete_registration(JANE["email"], honest).status_code == 201


@pytest.mark.parametrize(
    "member",
    [
        pytest.param(b'"' + b"\\u0061" * 5000 + b'"', id="escapes"),
        pytest.param(b"[" * 16000 + b"]" * 16000, id="nesting"),
        pytest.param(b"[" + b"[]," * 10_000 + b"[]]", id="lists"),
        pytest.param(b"1" * 30_000, id="a long integer"),
        pytest.param(b"1." + b"9" * 30_000, id="a long fraction"),
        pytest.param(
            b"{" + b",".join(b'"%d":0' % n for n in range(3000)) + b"}", id="many members"
        ),
    ],
)
def test_hostile_json_within_the_cap_is_cheap(service: Service, member: bytes) -> None:
    """A16: the same bound for what is no CBOR at all."""
    body = b'{"email":"jane@example.com","assertion":' + member + b"}"
    headers = {"Content-Type": "application/json"}
    spent, answer = cpu_seconds(
        lambda: service.request("POST", "/login/complete", content=body, headers=headers)
    )
    assert answer.status_code in (401, 422)
    assert spent < MAX_CPU_SECONDS
