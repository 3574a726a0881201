"""What is mutated, and which tests must notice."""

from __future__ import annotations

# They measure time, and a machine under load would kill mutants that nobody noticed.
TIMED = ("test_the_walk_takes_linear_time",)


def _tests(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/core/test_{name}.py" for name in names)


# Of each target the tests of its functions. Those that go through the running service would
# notice more, but a mutant that nobody notices would cost twenty seconds instead of one.
TARGETS: dict[str, tuple[str, ...]] = {
    "core/relying_party.py": _tests("mutants_relying_party", "relying_party", "nobodys_keys"),
    "core/tokens.py": _tests("mutants_tokens"),
    "core/client_data.py": _tests("mutants_client_data", "client_data"),
    "core/cose.py": _tests("mutants_cose", "cose", "nobodys_keys"),
    "core/ctap_cbor.py": _tests("mutants_ctap_cbor", "ctap_cbor"),
    "core/attestation_object.py": _tests("mutants_attestation_object"),
    "stores/challenges.py": _tests("mutants_challenges", "challenges"),
    "services/access.py": _tests("mutants_access"),
    "audit.py": _tests("mutants_audit"),
    "auth.py": _tests("mutants_auth"),
}


def is_timed(node_id: str) -> bool:
    """Whether this test judges by the clock."""
    return any(part in node_id for part in TIMED)
