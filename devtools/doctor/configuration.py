"""What the settings say, on their own and together."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from core.config import is_wide
from core.errors import ConfigurationError
from core.process import require_shared_state
from core.related_origins import public_suffixes
from devtools.doctor.findings import Finding, Patient, fail, ok, warn

GUESSABLE = ("secret", "password", "changeme", "change-me", "example", "12345678", "qwerty")
# A person who mistypes, tries again and then takes the other device.
FEWEST_REQUESTS = 5


def settings(patient: Patient) -> Iterator[Finding]:
    """Everything a start would refuse."""
    yield from map(fail, patient.problems)
    if not patient.problems:
        yield ok("complete and free of contradictions")


def environment(patient: Patient) -> Iterator[Finding]:
    https = any(origin.startswith("https:") for origin in patient.settings.origin)
    production = patient.settings.environment == "production"
    if https and not production:
        yield warn("https, yet not ENVIRONMENT=production: set it, or weak settings start too")
    if production and patient.settings.serves_docs:
        yield warn("SERVE_DOCS shows the API to everyone: leave it out in production")
    for name in ("danger_rate_limits_off", "danger_reveal_unknown_email"):
        if getattr(patient.settings, name):
            yield warn(f"{name.upper()} is on: nobody should reach this service but you")
    yield ok(patient.settings.environment)


def secrets(patient: Patient) -> Iterator[Finding]:
    given = patient.settings.token_secrets
    if patient.settings.uses_development_secret:
        yield warn("the development secret is public: set JWT_SECRET to `openssl rand -hex 32`")
    for name, secret in given.items():
        words = [word for word in GUESSABLE if word in secret.lower()]
        if not patient.settings.uses_development_secret and (words or len(set(secret)) < 10):
            yield warn(f"{name} looks written by hand: make one with `openssl rand -hex 32`")
    if "JWT_SECRET_PREVIOUS" in given:
        minutes = patient.settings.jwt_expiration_minutes
        yield warn(f"JWT_SECRET_PREVIOUS still opens the door: remove it {minutes} minutes after")
    if not any("JWT_SECRET" in problem for problem in patient.problems):
        yield ok(f"{' and '.join(given)}: long enough for {patient.settings.jwt_algorithm}")


def decoys(patient: Patient) -> Iterator[Finding]:
    if patient.settings.decoy_secret:
        yield ok("DECOY_SECRET is set: the decoys for unknown emails outlive JWT_SECRET")
    elif patient.settings.jwt_secret_previous:
        yield warn(
            "JWT_SECRET was rotated without DECOY_SECRET: the decoys for unknown emails changed. "
            "Set DECOY_SECRET to the secret they came from"
        )
    else:
        yield warn(
            "DECOY_SECRET is not set: the decoys for unknown emails come from JWT_SECRET and "
            "change when you rotate it. Set DECOY_SECRET before that"
        )


def origins(patient: Patient) -> Iterator[Finding]:
    rp_id = patient.settings.rp_id
    if rp_id != "localhost" and public_suffixes().is_public(rp_id):
        yield fail(f"RP_ID {rp_id} is a public suffix: browsers refuse it, name your own domain")
    plain = [origin for origin in patient.settings.origin if origin.startswith("http:")]
    if plain:
        yield warn(f"{', '.join(plain)}: http works on this machine alone; others need https")
    yield ok(f"passkeys of {rp_id}, used at {', '.join(patient.settings.origin)}")


def related(patient: Patient) -> Iterator[Finding]:
    if not patient.settings.related_origins:
        return
    rp_id = patient.settings.rp_id
    if rp_id not in {urlsplit(origin).hostname for origin in patient.settings.origin}:
        yield warn(
            f"browsers ask https://{rp_id}/.well-known/webauthn, and no ORIGIN is that host: "
            "have it pass this path on to the service"
        )
    closed = set(patient.settings.related_origins) - set(patient.settings.cors_origins)
    if closed:
        yield warn(f"{', '.join(sorted(closed))} cannot call the API: add to CORS_ORIGINS")
    yield ok(f"also used at {', '.join(patient.settings.related_origins)}")


def proxies(patient: Patient) -> Iterator[Finding]:
    """Whose word on the caller's address is taken."""
    networks = patient.settings.trusted_proxies
    for text in networks:
        yield from _network(text)
    https = any(origin.startswith("https:") for origin in patient.settings.origin)
    if https and not networks:
        yield warn("TRUSTED_PROXIES is empty: all visitors share the address of what ends TLS")
    elif not networks:
        yield ok("none is believed")


def _network(text: str) -> Iterator[Finding]:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        yield fail("TRUSTED_PROXIES: an entry is not a network")
        return
    if is_wide(text):
        yield fail(f"{text} trusts everyone to write any address: name your proxies alone")
    elif network.is_global and network.num_addresses > 256:
        yield warn(f"{text} is a large public network: is every machine in it a proxy of yours?")
    else:
        yield ok(f"{text} is believed")


def workers(patient: Patient) -> Iterator[Finding]:
    try:
        require_shared_state(patient.settings, patient.workers)
    except ConfigurationError as error:
        yield fail(str(error))
        return
    where = "Redis" if patient.settings.redis_url else "memory: one process, and no replicas"
    yield ok(f"{patient.workers} here; challenges and rate limits in {where}")


def rate_limits(patient: Patient) -> Iterator[Finding]:
    email, address, everyone = (
        getattr(patient.settings, f"rate_limit_{name}") for name in ("email", "address", "global")
    )
    if min(email, address) < FEWEST_REQUESTS:
        yield warn(f"fewer than {FEWEST_REQUESTS} a minute shut out people who try again")
    if email > address or address > everyone:
        yield warn("a wider limit is below a narrower one, which then does nothing")
    if address * 10 > everyone:
        yield warn("ten addresses use up RATE_LIMIT_GLOBAL and shut everyone out")
    yield ok(f"a minute: {email} for an email, {address} from an address, {everyone} in all")
