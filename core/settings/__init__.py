"""The settings of the service: read once from the environment, checked together, never changed.

`Settings.from_environment` raises ConfigurationError, with one sentence per fault, for values that
are weak or contradict each other. The rules are in checks.py; where values come from is sources.py.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from core.errors import ConfigurationError
from core.settings.checks import CHECKS, DEVELOPMENT_SECRET
from core.settings.hosts import ANDROID_APP
from core.settings.sources import explain, read_variable

# The validation context with which the doctor reads settings that would be refused.
_UNCHECKED = object()


def _split_at_commas(value: Any) -> Any:
    return (
        tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value
    )


CommaSeparated = Annotated[tuple[str, ...], BeforeValidator(_split_at_commas)]


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
        ("http://localhost:8000",),
        description="where the pages live, and `android:apk-key-hash:…` of native apps; several, "
        "comma-separated",
    )
    related_origins: CommaSeparated = Field(
        (), description="https origins of other domains whose pages may use these passkeys"
    )
    android_packages: CommaSeparated = Field(
        (), description="Android apps that `/.well-known/assetlinks.json` names"
    )
    apple_app_ids: CommaSeparated = Field(
        (), description="apps that `/.well-known/apple-app-site-association` names"
    )
    authenticator_attachment: Literal["platform", "any"] = Field(
        "platform",
        description="which authenticators may register: those of the device, or security keys and "
        "phones too",
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
        (),
        description="networks of your proxies: only their `X-Forwarded-For` is used; "
        "comma-separated",
    )
    decoy_secret: SecretStr | None = Field(
        None,
        description="key of the decoys for unknown emails; made from JWT_SECRET if empty: "
        "set it before you rotate that",
    )
    offer_credentials: Literal["known", "none"] = Field(
        "known",
        description="`none`: `/login/begin` lists no credentials to anybody, also with an email",
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

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> Settings:
        problems = [] if info.context is _UNCHECKED else self.problems()
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def problems(self) -> list[str]:
        """One sentence for each value that is weak or contradicts another; empty if all is well."""
        found = []
        for check in CHECKS:
            try:
                check(self)
            except (ValueError, ConfigurationError) as error:
                found.append(str(error))
        return found

    @property
    def uses_development_secret(self) -> bool:
        """Whether the public development secret verifies tokens, so that anyone can forge one."""
        return DEVELOPMENT_SECRET in self.token_secrets.values()

    @property
    def token_secrets(self) -> dict[str, str]:
        """The keys that verify tokens, by the name of their variable; the first key also signs."""
        previous = self.jwt_secret_previous
        current = {"JWT_SECRET": self.jwt_secret.get_secret_value()}
        return current | ({"JWT_SECRET_PREVIOUS": previous.get_secret_value()} if previous else {})

    @property
    def serves_docs(self) -> bool:
        """Whether Swagger UI and the OpenAPI document are served."""
        development = self.environment == "development"
        return development if self.serve_docs is None else self.serve_docs

    @property
    def uses_sqlite(self) -> bool:
        """Whether the database is an SQLite file; if not, it is PostgreSQL."""
        return self.database_url.startswith("sqlite:")

    @property
    def accepted_origins(self) -> tuple[str, ...]:
        """The origins that may hold a ceremony: ORIGIN and RELATED_ORIGINS."""
        return (*self.origin, *self.related_origins)

    @property
    def app_origins(self) -> tuple[str, ...]:
        """The entries of ORIGIN that are Android apps."""
        return tuple(origin for origin in self.origin if origin.startswith(ANDROID_APP))

    @property
    def web_origins(self) -> tuple[str, ...]:
        """The entries of ORIGIN that are pages. The first one is the address of this service."""
        return tuple(origin for origin in self.origin if not origin.startswith(ANDROID_APP))

    @property
    def issuer(self) -> str:
        """The `iss` claim of access tokens."""
        return self.jwt_issuer or self.web_origins[0]

    @property
    def audience(self) -> str:
        """The `aud` claim of access tokens."""
        return self.jwt_audience or self.rp_id

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """The settings in `environment`: `NAME`, or the content of the file `NAME_FILE`.

        An empty value means the default. Raises ConfigurationError, which names variables and never
        quotes a value.
        """
        found = {field: read_variable(field.upper(), environment) for field in cls.model_fields}
        try:
            return cls(**{field: value for field, value in found.items() if value})
        except ValidationError as error:
            raise ConfigurationError("; ".join(explain(error).values())) from None

    @classmethod
    def danger_unchecked(cls, environment: Mapping[str, str]) -> tuple[Settings, list[str]]:
        """Settings with every readable value, even a refused one, and one sentence for each fault.

        For tools that inspect a configuration; never serve with these settings.
        """
        found, faults = {}, {}
        for field in cls.model_fields:
            try:
                found[field] = read_variable(field.upper(), environment)
            except ConfigurationError as error:
                faults[field] = str(error)
        values = {field: value for field, value in found.items() if value}
        try:
            cls.model_validate(values, context=_UNCHECKED)
        except ValidationError as error:
            faults |= explain(error)
        sound = {field: value for field, value in values.items() if field not in faults}
        settings = cls.model_validate(sound, context=_UNCHECKED)
        return settings, [*faults.values(), *settings.problems()]
