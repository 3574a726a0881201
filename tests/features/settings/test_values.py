"""Every setting: its default, the environment variable, and the file that can stand for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.errors import ConfigurationError
from core.settings import Settings
from core.settings.checks import DEVELOPMENT_SECRET
from tests.support.cases import crossed

SECRET = "0123456789abcdef0123456789abcdef"
OTHER_SECRET = "fedcba9876543210fedcba9876543210"
# The contract's defaults.
DEFAULTS = {
    "jwt_secret": DEVELOPMENT_SECRET,
    "jwt_algorithm": "HS256",
    "jwt_expiration_minutes": 60,
    "rp_id": "localhost",
    "rp_name": "Auth Example",
    "origin": ("http://localhost:8000",),
    "database_url": "sqlite:///./app.db",
    "log_file": Path("app.log"),
    "access_log": False,
    "cors_origins": (),
    "trusted_proxies": (),
    "decoy_secret": None,
    "offer_credentials": "known",
    "danger_rate_limits_off": False,
    "danger_reveal_unknown_email": False,
}
# What an operator writes, and what the service then has.
WRITTEN: dict[str, tuple[str, Any]] = {
    "environment": ("production", "production"),
    "serve_docs": ("false", False),
    "jwt_secret": (SECRET, SECRET),
    "jwt_secret_previous": (OTHER_SECRET, OTHER_SECRET),
    "jwt_algorithm": ("HS384", "HS384"),
    "jwt_expiration_minutes": ("15", 15),
    "jwt_issuer": ("https://id.example.com", "https://id.example.com"),
    "jwt_audience": ("api", "api"),
    "rp_id": ("example.com", "example.com"),
    "rp_name": ("Müller & Söhne", "Müller & Söhne"),
    "origin": (
        "http://localhost:3000, https://app.localhost",
        ("http://localhost:3000", "https://app.localhost"),
    ),
    "related_origins": (
        "https://example.de, https://www.example.co.uk:8443",
        ("https://example.de", "https://www.example.co.uk:8443"),
    ),
    "android_packages": ("com.example.app, com.example", ("com.example.app", "com.example")),
    "apple_app_ids": ("A1B2C3D4E5.com.example.app", ("A1B2C3D4E5.com.example.app",)),
    "authenticator_attachment": ("any", "any"),
    "database_url": ("postgresql://db.internal/auth", "postgresql://db.internal/auth"),
    "database_pool_size": ("25", 25),
    "redis_url": ("rediss://cache.internal/0", "rediss://cache.internal/0"),
    "log_file": ("/var/log/auth.log", Path("/var/log/auth.log")),
    "access_log": ("true", True),
    "audit_sink": (
        "syslog+tls://logs.internal:6514, stdout:ecs",
        ("syslog+tls://logs.internal:6514", "stdout:ecs"),
    ),
    "cors_origins": ("https://app.example.com,", ("https://app.example.com",)),
    "trusted_proxies": ("10.0.0.0/8, ::1", ("10.0.0.0/8", "::1")),
    "decoy_secret": (OTHER_SECRET, OTHER_SECRET),
    "offer_credentials": ("none", "none"),
    "pending_ceremonies": ("500", 500),
    "rate_limit_address": ("10", 10),
    "rate_limit_email": ("11", 11),
    "rate_limit_global": ("12", 12),
    "danger_rate_limits_off": ("true", True),
    "danger_reveal_unknown_email": ("1", True),
}
# These come with certificates: they are tested where those are.
TESTED_ELSEWHERE = {"attestation", "attestation_roots", "audit_sink_ca"}
# Settings that are only valid together with others.
PUBLIC = {"JWT_SECRET": SECRET, "ORIGIN": "https://login.example.com"}
IN_PRODUCTION = {**PUBLIC, "RP_ID": "example.com", "TRUSTED_PROXIES": "10.0.0.0/8"}
APP = {"ORIGIN": "http://localhost:8000,android:apk-key-hash:" + "A" * 43}
NEEDS = {"rp_id": PUBLIC, "environment": IN_PRODUCTION, "android_packages": APP}


def plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_setting_has_the_default_of_the_contract(name: str) -> None:
    """With an empty environment the service starts on a developer's machine."""
    assert plain(getattr(Settings.from_environment({}), name)) == DEFAULTS[name]


def test_every_setting_has_a_row_here() -> None:
    """A setting that is added gets a test with it: put it into WRITTEN."""
    assert WRITTEN.keys() == Settings.model_fields.keys() - TESTED_ELSEWHERE


@pytest.mark.parametrize("name", WRITTEN)
def test_a_setting_is_read_from_its_variable(name: str) -> None:
    """The field's name in upper case."""
    text, value = WRITTEN[name]
    environment = {**NEEDS.get(name, {}), name.upper(): text}
    assert plain(getattr(Settings.from_environment(environment), name)) == value


@pytest.mark.parametrize(("name", "end"), crossed(WRITTEN, ["", "\n", "\r\n", "\n\n"]), ids=repr)
def test_a_setting_is_read_from_the_file_that_its_variable_names(
    tmp_path: Path, name: str, end: str
) -> None:
    """As secret managers hand them over: in a file, mostly with a line feed at the end."""
    text, value = WRITTEN[name]
    file = tmp_path / "setting"
    file.write_text(text + end, "utf-8")
    environment = {**NEEDS.get(name, {}), f"{name.upper()}_FILE": str(file)}
    assert plain(getattr(Settings.from_environment(environment), name)) == value


@pytest.mark.parametrize("name", WRITTEN)
def test_an_empty_variable_means_the_default(name: str) -> None:
    """As compose files write a variable that is not set."""
    environment = {name.upper(): "", f"{name.upper()}_FILE": ""}
    assert Settings.from_environment(environment) == Settings()


@pytest.mark.parametrize("name", WRITTEN)
def test_a_setting_given_twice_is_refused(tmp_path: Path, name: str) -> None:
    """Nobody should have to guess which of the two holds."""
    file = tmp_path / "setting"
    file.write_text(WRITTEN[name][0], "utf-8")
    environment = {name.upper(): WRITTEN[name][0], f"{name.upper()}_FILE": str(file)}
    message = f"^{name.upper()} and {name.upper()}_FILE are both set: keep one$"
    with pytest.raises(ConfigurationError, match=message):
        Settings.from_environment(environment)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """C5: a secret that is not there is not the default."""
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    for file in (tmp_path / "missing", tmp_path, binary):
        with pytest.raises(ConfigurationError, match=r"^JWT_SECRET_FILE cannot be read: ") as error:
            Settings.from_environment({"JWT_SECRET_FILE": str(file)})
        assert str(file) not in str(error.value)


def test_the_environment_of_the_process_is_read_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Variables that are no settings are ignored, or PATH would refuse the start."""
    monkeypatch.setitem(os.environ, "RP_NAME", "Somewhere")
    assert Settings.from_environment().rp_name == "Somewhere"


def test_settings_do_not_change_once_they_are_read() -> None:
    """What was checked as a whole stays what was checked."""
    with pytest.raises(ValueError, match="frozen"):
        Settings().rp_id = "evil.example"  # type: ignore[misc]


def test_no_secret_shows_when_settings_are_printed() -> None:
    """C5: a settings object in a log or a traceback gives nothing away."""
    settings = Settings.from_environment({"JWT_SECRET": SECRET, "DECOY_SECRET": OTHER_SECRET})
    for text in (repr(settings), str(settings), str(settings.model_dump())):
        assert SECRET not in text
        assert OTHER_SECRET not in text
