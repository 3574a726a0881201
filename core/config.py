"""The settings: read once from the environment, checked as a whole, never changed.

A weak or contradictory configuration raises `ConfigurationError` with the sentence that says why.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
)
from pydantic import model_validator as whole

from core import sink_address
from core.errors import ConfigurationError
from core.related_origins import MAX_RELATED_LABELS, related_labels
from core.relying_party.attestation.trust_anchors import read_roots

DEVELOPMENT_SECRET = "development-secret-for-localhost-only-do-not-deploy"  # noqa: S105
# RFC 7518 §3.2: an HMAC key is at least as long as its hash.
SECRET_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
# What the doctor asks for, and nobody else.
_UNCHECKED = object()
HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


def _split(value: Any) -> Any:
    return (
        tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value
    )


CommaSeparated = Annotated[tuple[str, ...], BeforeValidator(_split)]


class Settings(BaseModel):
    """Every setting; the environment variable is the field's name in upper case."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    environment: Literal["development", "production"] = Field(
        "development", description="`production` demands https, a secret and named proxies"
    )
    serve_docs: bool | None = Field(
        None, description="Swagger UI and the OpenAPI document; off in production unless asked for"
    )
    jwt_secret: SecretStr = Field(
        SecretStr(DEVELOPMENT_SECRET), description="key that signs the tokens, at least 32 bytes"
    )
    jwt_secret_previous: SecretStr | None = Field(
        None, description="key that still verifies tokens and signs none, while you rotate"
    )
    jwt_algorithm: str = Field("HS256", description="HS256, HS384 or HS512")
    jwt_expiration_minutes: int = Field(60, ge=1, le=1440, description="a token's life, 1 to 1440")
    jwt_issuer: str = Field("", description="the `iss` claim; the first ORIGIN if empty")
    jwt_audience: str = Field("", description="the `aud` claim; RP_ID if empty")
    rp_id: str = Field("localhost", description="the domain the passkeys belong to")
    rp_name: str = Field(
        "Auth Example", min_length=1, max_length=64, description="the name the browser shows"
    )
    origin: CommaSeparated = Field(
        ("http://localhost:8000",), description="where the pages live; several, comma-separated"
    )
    related_origins: CommaSeparated = Field(
        (), description="https origins of other domains whose pages may use these passkeys"
    )
    attestation: Literal["none", "direct"] = Field(
        "none", description="`direct` registers only authenticators that a trusted root vouches for"
    )
    attestation_roots: Path | None = Field(
        None, description="folder of those roots, `*.pem`; required with `ATTESTATION=direct`"
    )
    database_url: str = Field(
        "sqlite:///./app.db", description="`sqlite:///` and a file, or `postgresql://…`"
    )
    database_pool_size: int = Field(
        10, ge=1, le=200, description="connections to PostgreSQL that each worker may hold"
    )
    redis_url: str = Field(
        "", description="`redis://…`: challenges and counters that all workers share"
    )
    log_file: Path = Field(Path("app.log"), description="the audit trail as JSON lines")
    access_log: bool = Field(False, description="a line of JSON in the log for every request, too")
    audit_sink: CommaSeparated = Field(
        (),
        description="where each event goes too: `syslog+tls://host:6514`, `syslog+udp://host:514`, "
        "`stdout:ecs`, `stdout:ocsf`; several, comma-separated",
    )
    audit_sink_ca: Path | None = Field(
        None,
        description="PEM file that vouches for `syslog+tls` sinks; the system's roots if empty",
    )
    cors_origins: CommaSeparated = Field((), description="origins whose pages may call the API")
    trusted_proxies: CommaSeparated = Field(
        (), description="networks whose `X-Forwarded-For` is believed, comma-separated"
    )
    decoy_secret: SecretStr | None = Field(
        None,
        description="key of the decoys for unknown emails; made from JWT_SECRET if empty: "
        "set it before you rotate that",
    )
    pending_ceremonies: int = Field(
        20_000, ge=100, le=1_000_000, description="begun ceremonies kept; the oldest go first"
    )
    rate_limit_address: int = Field(
        1200, ge=1, description="requests a minute from one address, for each ceremony step"
    )
    rate_limit_email: int = Field(
        300, ge=1, description="requests a minute for one email, for each ceremony step"
    )
    rate_limit_global: int = Field(
        60_000, ge=1, description="requests a minute in all, for each ceremony step"
    )
    danger_rate_limits_off: bool = Field(
        False, description="no rate limits at all: for load tests only"
    )
    danger_reveal_unknown_email: bool = Field(
        False,
        description="`/login/begin` answers 401 for an unknown email: tells who is registered",
    )

    @whole(mode="after")
    def _check(self, info: ValidationInfo) -> Settings:
        problems = [] if info.context is _UNCHECKED else self.problems()
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def problems(self) -> list[str]:
        """What is weak or contradictory in these values, a sentence each; nothing starts on it."""
        found = []
        for check in CHECKS:
            try:
                check(self)
            except (ValueError, ConfigurationError) as error:
                found.append(str(error))
        return found

    @property
    def uses_development_secret(self) -> bool:
        """Whether tokens that anyone can forge are taken for good ones."""
        return DEVELOPMENT_SECRET in self.token_secrets.values()

    @property
    def token_secrets(self) -> dict[str, str]:
        """The keys that verify tokens, by the variable of each; the first one signs."""
        previous = self.jwt_secret_previous
        current = {"JWT_SECRET": self.jwt_secret.get_secret_value()}
        return current | ({"JWT_SECRET_PREVIOUS": previous.get_secret_value()} if previous else {})

    @property
    def serves_docs(self) -> bool:
        development = self.environment == "development"
        return development if self.serve_docs is None else self.serve_docs

    @property
    def accepted_origins(self) -> tuple[str, ...]:
        """Whose pages may hold a ceremony: our own, and those of related domains."""
        return (*self.origin, *self.related_origins)

    @property
    def issuer(self) -> str:
        return self.jwt_issuer or self.origin[0]

    @property
    def audience(self) -> str:
        return self.jwt_audience or self.rp_id

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read `NAME`, or the file that `NAME_FILE` names; an empty value means the default.

        Raises ConfigurationError, naming the variable and never its value.
        """
        found = {field: _lookup(field.upper(), environment) for field in cls.model_fields}
        try:
            return cls(**{field: value for field, value in found.items() if value})
        except ValidationError as error:
            raise ConfigurationError("; ".join(_explain(error).values())) from None

    @classmethod
    def danger_unchecked(cls, environment: Mapping[str, str]) -> tuple[Settings, list[str]]:
        """Whatever can be read, sound or not, with all that is wrong: to look at, not to serve."""
        found, wrong = {}, {}
        for field in cls.model_fields:
            try:
                found[field] = _lookup(field.upper(), environment)
            except ConfigurationError as error:
                wrong[field] = str(error)
        values = {field: value for field, value in found.items() if value}
        try:
            cls.model_validate(values, context=_UNCHECKED)
        except ValidationError as error:
            wrong |= _explain(error)
        sound = {field: value for field, value in values.items() if field not in wrong}
        settings = cls.model_validate(sound, context=_UNCHECKED)
        return settings, [*wrong.values(), *settings.problems()]


def _lookup(name: str, environment: Mapping[str, str]) -> str | None:
    file = environment.get(f"{name}_FILE")
    if not file:
        return environment.get(name)
    if environment.get(name):
        raise ConfigurationError(f"{name} and {name}_FILE are both set: keep one")
    try:
        value = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{name}_FILE cannot be read: {type(error).__name__}") from None
    if not value:
        # Or an empty secret would silently mean the development one.
        raise ConfigurationError(f"{name}_FILE is empty")
    return value


def _explain(error: ValidationError) -> dict[str, str]:
    """What is wrong, by field; under "" what is wrong with them together."""
    found = {}
    for item in error.errors(include_url=False, include_input=False, include_context=True):
        field = "_".join(str(part) for part in item["loc"][:1])
        reason = str(item.get("ctx", {}).get("error", item["msg"]))
        found[field] = f"{field.upper()}: {reason}" if field else reason
    return found


def shown(url: str) -> str:
    """A URL for people to read: without the user, the password and the parameters.

    One that is not written as it should be is not shown: its password may stand anywhere.
    """
    scheme, _, rest = url.partition("://")
    if rest.startswith("/"):
        return url
    place = re.fullmatch(r"(?:[^@/?#]*@)?([\w.:,\[\]-]+(?:/[\w.-]*)?)(?:\?[^@]*)?", rest)
    return f"{scheme}://{place[1] if place else '…'}"


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
    # An address is no valid domain, and so no RP ID (WebAuthn L3 §5.1.3 step 8).
    if not HOST.fullmatch(settings.rp_id) or settings.rp_id.rpartition(".")[2].isdigit():
        raise ValueError("RP_ID must be a host name in lower case, without scheme, port or path")
    if not settings.origin:
        raise ValueError("ORIGIN must name at least one origin")
    for origin in settings.origin:
        host = _host_of(origin, "ORIGIN")
        if not _lies_under(host, settings.rp_id):
            raise ValueError(f"ORIGIN {origin} does not lie under RP_ID {settings.rp_id}")


def _lies_under(host: str, rp_id: str) -> bool:
    # WebAuthn L3 §5.1.2: the RP ID is the origin's host or a registrable suffix of it.
    return host == rp_id or host.endswith(f".{rp_id}")


def _check_related(settings: Settings) -> None:
    hosts = {origin: _host_of(origin, "RELATED_ORIGINS") for origin in settings.related_origins}
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
        _host_of(origin, "CORS_ORIGINS")
    for network in settings.trusted_proxies:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            raise ValueError(f"TRUSTED_PROXIES: {network} is not a network") from None


def _host_of(origin: str, name: str) -> str:
    """The host of a well-formed, safe origin as browsers write it (RFC 6454 §6.2)."""
    # Not quoted before it is known to be one: a user and a password may stand in it.
    wrong = f"{name}: an entry is not an origin like https://login.example.com"
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(wrong) from None
    default = {"https": 443, "http": 80}.get(parts.scheme)
    canonical = f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
    if default is None or port == default or origin != canonical or not HOST.fullmatch(host):
        raise ValueError(wrong)
    if parts.scheme == "http" and host != "localhost" and not host.endswith(".localhost"):
        raise ValueError(f"{name}: {origin} must be https outside localhost")
    return host


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


def _check_sinks(settings: Settings) -> None:
    sink_address.check(settings.audit_sink, settings.audit_sink_ca)


def _check_production(settings: Settings) -> None:
    if settings.environment != "production":
        return
    https = all(origin.startswith("https:") for origin in settings.origin)
    wide = [network for network in settings.trusted_proxies if is_wide(network)]
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


def is_wide(network: str) -> bool:
    """Whether so many addresses are in `network` that no proxies of one's own can be meant."""
    try:
        return ipaddress.ip_network(network).prefixlen < 8
    except ValueError:
        return False


CHECKS = (
    _check_secret,
    _check_relying_party,
    _check_related,
    _check_attestation,
    _check_lists,
    _check_database,
    _check_sinks,
    _check_production,
)
