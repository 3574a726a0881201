"""What is mutated, and which tests must notice."""

from __future__ import annotations

# They measure time, and a machine under load would kill mutants that nobody noticed.
TIMED = ("test_the_walk_takes_linear_time",)


def _tests(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/core/test_{name}.py" for name in names)


_RELYING_PARTY = _tests("mutants_relying_party", "relying_party", "nobodys_keys")
_CREDENTIAL = _tests("mutants_client_data", "client_data")
_ATTESTATION = _tests("mutants_attestation_object", "attestation_object")

# Of each target the tests of its functions. Those that go through the running service would
# notice more, but a mutant that nobody notices would cost twenty seconds instead of one.
TARGETS: dict[str, tuple[str, ...]] = {
    "core/relying_party/registration.py": _RELYING_PARTY,
    "core/relying_party/authentication.py": _RELYING_PARTY,
    "core/relying_party/ceremonies.py": _RELYING_PARTY,
    "core/relying_party/options.py": _RELYING_PARTY,
    "core/relying_party/py_webauthn.py": _RELYING_PARTY,
    "core/relying_party/client_data.py": _CREDENTIAL + _RELYING_PARTY,
    "core/relying_party/response_json.py": _CREDENTIAL,
    "core/relying_party/authenticator_data.py": _ATTESTATION + _RELYING_PARTY,
    "core/relying_party/attestation/object.py": _ATTESTATION,
    "core/relying_party/cose_key.py": _tests("mutants_cose", "cose", "nobodys_keys"),
    "core/relying_party/placeholder_keys.py": _tests("nobodys_keys"),
    "core/relying_party/ctap_cbor.py": _tests("mutants_ctap_cbor", "ctap_cbor"),
    "core/tokens/access_tokens.py": _tests("mutants_tokens"),
    "stores/challenges.py": _tests("mutants_challenges", "challenges"),
    "services/profiles.py": _tests("mutants_access"),
    "audit.py": _tests("mutants_audit"),
    "auth.py": _tests("mutants_auth"),
}


def is_timed(node_id: str) -> bool:
    """Whether this test judges by the clock."""
    return any(part in node_id for part in TIMED)
