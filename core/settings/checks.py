"""The rules for settings: each check raises ValueError or ConfigurationError with one sentence.

The sentence names the variable and what to do. It never quotes a secret.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from core.relying_party.attestation.trust_anchors import read_roots
from core.settings import audit_sinks
from core.settings.hosts import (
    ANDROID_PACKAGE,
    APPLE_APP_ID,
    HOST_NAME,
    fingerprint_of_app,
    host_of_origin,
)
from core.settings.related_origins import MAX_RELATED_LABELS, related_labels

if TYPE_CHECKING:
    from core.settings import Settings

DEVELOPMENT_SECRET = "development-secret-for-localhost-only-do-not-deploy"  # noqa: S105
# RFC 7518 §3.2: an HMAC key is at least as long as its hash.
SECRET_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}


def _check_secret(settings: Settings) -> None:
    if settings.jwt_algorithm not in SECRET_BYTES:
        raise ValueError(f"JWT_ALGORITHM must be one of {', '.join(SECRET_BYTES)}")
    secrets = settings.token_secrets
    for name, secret in secrets.items():
        _check_strength(settings, name, secret.encode())
    if len(set(secrets.values())) < len(secrets):
        raise ValueError("JWT_SECRET_PREVIOUS is JWT_SECRET: remove it, or set a new JWT_SECRET")
    if settings.decoy_secret and len(settings.decoy_secret.get_secret_value().encode()) < 32:
        raise ValueError("DECOY_SECRET needs at least 32 bytes")


def _check_strength(settings: Settings, name: str, secret: bytes) -> None:
    needed = SECRET_BYTES[settings.jwt_algorithm]
    if len(secret) < needed:
        raise ValueError(
            f"{name} has {len(secret)} bytes; {settings.jwt_algorithm} needs at least {needed}"
        )
    if len(set(secret)) < 8:
        raise ValueError(f"{name} repeats a few characters: make one with `openssl rand -hex 32`")
    if secret == DEVELOPMENT_SECRET.encode() and settings.rp_id != "localhost":
        raise ValueError(
            f"{name} is the development default, which serves only RP_ID=localhost: "
            "set your own, for example from `openssl rand -hex 32`"
        )


def _check_relying_party(settings: Settings) -> None:
    # An IP address is not a valid domain, so it is no RP ID (WebAuthn L3 §5.1.3 step 8).
    if not HOST_NAME.fullmatch(settings.rp_id) or settings.rp_id.rpartition(".")[2].isdigit():
        raise ValueError("RP_ID must be a host name in lower case, without scheme, port or path")
    if not settings.web_origins:
        raise ValueError("ORIGIN must name at least one origin of a page, like https://example.com")
    for origin in settings.app_origins:
        fingerprint_of_app(origin)
    for origin in settings.web_origins:
        host = host_of_origin(origin, "ORIGIN")
        if not _lies_under(host, settings.rp_id):
            raise ValueError(f"ORIGIN {origin} does not lie under RP_ID {settings.rp_id}")


def _lies_under(host: str, rp_id: str) -> bool:
    # WebAuthn L3 §5.1.2: the RP ID is the origin's host or a registrable suffix of it.
    return host == rp_id or host.endswith(f".{rp_id}")


def _check_related(settings: Settings) -> None:
    hosts = {
        origin: host_of_origin(origin, "RELATED_ORIGINS") for origin in settings.related_origins
    }
    for origin, host in hosts.items():
        if not origin.startswith("https:"):
            raise ValueError(f"RELATED_ORIGINS: {origin} must be https")
        if _lies_under(host, settings.rp_id):
            raise ValueError(
                f"RELATED_ORIGINS: {origin} lies under RP_ID {settings.rp_id}: put it into ORIGIN"
            )
    labels = related_labels(hosts.values()) if hosts else set()
    if len(labels) > MAX_RELATED_LABELS:
        raise ValueError(
            f"RELATED_ORIGINS has {len(labels)} different names ({', '.join(sorted(labels))}), and "
            f"browsers are bound to look at {MAX_RELATED_LABELS} alone"
        )


def _check_apps(settings: Settings) -> None:
    if not all(map(ANDROID_PACKAGE.fullmatch, settings.android_packages)):
        raise ValueError("ANDROID_PACKAGES: an entry is not a name like com.example.app")
    if settings.android_packages and not settings.app_origins:
        raise ValueError(
            "ANDROID_PACKAGES needs the apps' android:apk-key-hash:… in ORIGIN: without it they "
            "are refused"
        )
    if not all(map(APPLE_APP_ID.fullmatch, settings.apple_app_ids)):
        raise ValueError(
            "APPLE_APP_IDS: an entry is not a team id and a bundle id, like A1B2C3D4E5.com.example"
        )


def _check_attestation(settings: Settings) -> None:
    folder = settings.attestation_roots
    if settings.attestation == "direct" and folder is None:
        raise ValueError("ATTESTATION=direct needs ATTESTATION_ROOTS, a folder of *.pem files")
    if settings.attestation == "none" and folder is not None:
        raise ValueError("ATTESTATION_ROOTS is set, but only ATTESTATION=direct looks at it")
    if folder is not None:
        read_roots(folder)


def _check_lists(settings: Settings) -> None:
    for origin in settings.cors_origins:
        host_of_origin(origin, "CORS_ORIGINS")
    for network in settings.trusted_proxies:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            raise ValueError(f"TRUSTED_PROXIES: {network} is not a network") from None


def _check_database(settings: Settings) -> None:
    scheme, _, rest = settings.database_url.partition("://")
    if scheme not in ("sqlite", "postgresql"):
        raise ValueError("DATABASE_URL must begin with sqlite:/// or postgresql://")
    if scheme == "sqlite" and (not rest.startswith("/") or "?" in rest):
        raise ValueError("DATABASE_URL must be sqlite:/// and a plain file")
    if scheme == "sqlite" and rest in ("/", "/:memory:"):
        raise ValueError("DATABASE_URL: an SQLite database needs a plain file")
    if settings.redis_url and not settings.redis_url.startswith(("redis://", "rediss://")):
        raise ValueError("REDIS_URL must begin with redis:// or rediss://")


def _check_offers(settings: Settings) -> None:
    if settings.offer_credentials == "none" and settings.danger_reveal_unknown_email:
        raise ValueError(
            "OFFER_CREDENTIALS=none hides who is registered, and DANGER_REVEAL_UNKNOWN_EMAIL "
            "tells it: set one of them"
        )


def _check_sinks(settings: Settings) -> None:
    audit_sinks.check(settings.audit_sink, settings.audit_sink_ca)


def _check_production(settings: Settings) -> None:
    if settings.environment != "production":
        return
    https = all(origin.startswith("https:") for origin in settings.web_origins)
    wide = [network for network in settings.trusted_proxies if is_too_broad(network)]
    demands = {
        "refuses the development secret, as JWT_SECRET and as JWT_SECRET_PREVIOUS: set your own, "
        "for example from `openssl rand -hex 32`": not settings.uses_development_secret,
        "needs every ORIGIN to be https": https,
        "needs TRUSTED_PROXIES: the networks of the proxy that ends TLS": settings.trusted_proxies,
        f"refuses TRUSTED_PROXIES={','.join(wide)}: anyone could write any address": not wide,
        "refuses DANGER_RATE_LIMITS_OFF": not settings.danger_rate_limits_off,
    }
    unmet = [f"ENVIRONMENT=production {demand}" for demand, met in demands.items() if not met]
    if unmet:
        raise ValueError("; ".join(unmet))


def is_too_broad(network: str) -> bool:
    """Whether `network` has a prefix under 8 bits: no operator has that many proxies."""
    try:
        return ipaddress.ip_network(network).prefixlen < 8
    except ValueError:
        return False


CHECKS = (
    _check_secret,
    _check_relying_party,
    _check_related,
    _check_apps,
    _check_attestation,
    _check_lists,
    _check_database,
    _check_offers,
    _check_sinks,
    _check_production,
)
