"""Checks of the settings, each alone and in combination."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from cli.doctor.findings import Finding, Installation, fail, ok, warn
from core.errors import ConfigurationError
from core.process import require_shared_state
from core.settings.checks import is_too_broad
from core.settings.related_origins import public_suffixes

# Words that people write into secrets by hand.
GUESSABLE = ("secret", "password", "changeme", "change-me", "example", "12345678", "qwerty")
# Enough for a person who mistypes, tries again and then takes another device.
FEWEST_REQUESTS = 5


def settings(installation: Installation) -> Iterator[Finding]:
    """Everything because of which the service would refuse to start."""
    yield from map(fail, installation.problems)
    if not installation.problems:
        yield ok("complete and free of contradictions")


def environment(installation: Installation) -> Iterator[Finding]:
    https = any(origin.startswith("https:") for origin in installation.settings.web_origins)
    production = installation.settings.environment == "production"
    if https and not production:
        yield warn(
            "ORIGIN is https, but ENVIRONMENT is not production: without that, the service "
            "accepts weak settings"
        )
    if production and installation.settings.serves_docs:
        yield warn("SERVE_DOCS shows the API to everyone: leave it out in production")
    for name in ("danger_rate_limits_off", "danger_reveal_unknown_email"):
        if getattr(installation.settings, name):
            yield warn(f"{name.upper()} is on: let nobody but you reach this service")
    yield ok(installation.settings.environment)


def secrets(installation: Installation) -> Iterator[Finding]:
    given = installation.settings.token_secrets
    if installation.settings.uses_development_secret:
        yield warn("the development secret is public: set JWT_SECRET to `openssl rand -hex 32`")
    for name, secret in given.items():
        words = [word for word in GUESSABLE if word in secret.lower()]
        if not installation.settings.uses_development_secret and (words or len(set(secret)) < 10):
            yield warn(f"{name} looks written by hand: make one with `openssl rand -hex 32`")
    if "JWT_SECRET_PREVIOUS" in given:
        minutes = installation.settings.jwt_expiration_minutes
        yield warn(
            f"JWT_SECRET_PREVIOUS still verifies tokens: remove it {minutes} minutes after the "
            "rotation"
        )
    if not any("JWT_SECRET" in problem for problem in installation.problems):
        yield ok(f"{' and '.join(given)}: long enough for {installation.settings.jwt_algorithm}")


def decoys(installation: Installation) -> Iterator[Finding]:
    if installation.settings.decoy_secret:
        yield ok("DECOY_SECRET is set: the decoys for unknown emails outlive JWT_SECRET")
    elif installation.settings.jwt_secret_previous:
        yield warn(
            "JWT_SECRET was rotated without DECOY_SECRET: the decoys for unknown emails changed. "
            "Set DECOY_SECRET to the secret they came from"
        )
    else:
        yield warn(
            "DECOY_SECRET is not set: the decoys for unknown emails come from JWT_SECRET and "
            "change when you rotate it. Set DECOY_SECRET before that"
        )


def origins(installation: Installation) -> Iterator[Finding]:
    rp_id = installation.settings.rp_id
    if rp_id != "localhost" and public_suffixes().is_public(rp_id):
        yield fail(f"RP_ID {rp_id} is a public suffix: browsers refuse it, name your own domain")
    plain = [origin for origin in installation.settings.origin if origin.startswith("http:")]
    if plain:
        yield warn(f"{', '.join(plain)}: http works on this machine only; others need https")
    yield ok(f"passkeys of {rp_id}, used at {', '.join(installation.settings.origin)}")


def related(installation: Installation) -> Iterator[Finding]:
    if not installation.settings.related_origins:
        return
    rp_id = installation.settings.rp_id
    if rp_id not in {urlsplit(origin).hostname for origin in installation.settings.web_origins}:
        yield warn(
            f"browsers ask https://{rp_id}/.well-known/webauthn, and no ORIGIN has that host: "
            "let that host pass this path on to the service"
        )
    closed = set(installation.settings.related_origins) - set(installation.settings.cors_origins)
    if closed:
        yield warn(f"{', '.join(sorted(closed))} cannot call the API: add it to CORS_ORIGINS")
    yield ok(f"also used at {', '.join(installation.settings.related_origins)}")


def proxies(installation: Installation) -> Iterator[Finding]:
    """Whose X-Forwarded-For is trusted."""
    networks = installation.settings.trusted_proxies
    for text in networks:
        yield from _network(text)
    https = any(origin.startswith("https:") for origin in installation.settings.web_origins)
    if https and not networks:
        yield warn("TRUSTED_PROXIES is empty: all visitors share the address of the TLS proxy")
    elif not networks:
        yield ok("none is trusted: the address of the peer counts")


def _network(text: str) -> Iterator[Finding]:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        yield fail("TRUSTED_PROXIES: an entry is not a network")
        return
    if is_too_broad(text):
        yield fail(f"{text} trusts everyone to write any address: list only your own proxies")
    elif network.is_global and network.num_addresses > 256:
        yield warn(f"{text} is a large public network: is every machine in it a proxy of yours?")
    else:
        yield ok(f"{text} is trusted")


def workers(installation: Installation) -> Iterator[Finding]:
    try:
        require_shared_state(installation.settings, installation.workers)
    except ConfigurationError as error:
        yield fail(str(error))
        return
    where = "Redis" if installation.settings.redis_url else "memory, so one process and no replicas"
    yield ok(f"{installation.workers} on this machine; challenges and rate limits in {where}")


def rate_limits(installation: Installation) -> Iterator[Finding]:
    limits = installation.settings
    email, address = limits.rate_limit_email, limits.rate_limit_address
    everyone = limits.rate_limit_global
    if min(email, address) < FEWEST_REQUESTS:
        yield warn(f"a limit below {FEWEST_REQUESTS} a minute locks out people who try again")
    if email > address or address > everyone:
        yield warn("a wider limit is below a narrower one, which then does nothing")
    if address * 10 > everyone:
        yield warn("ten addresses can use up RATE_LIMIT_GLOBAL and lock everyone out")
    yield ok(f"per minute: {email} for one email, {address} from one address, {everyone} in total")
