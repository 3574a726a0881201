"""Every variable that the packaging sets is a setting, and the service accepts the values."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.settings import Settings
from tests.deploy import kubernetes, upcoming
from tests.deploy.composed import services
from tests.deploy.workshop import DEPLOY, UNIT, assignments, unit_values

KNOWN = {name.upper() for name in Settings.model_fields} | upcoming.SETTINGS
SECRETS = {"JWT_SECRET", "DECOY_SECRET", "DATABASE_URL", "REDIS_URL"}
DROP_IN = DEPLOY / "systemd" / "auth-example.service.d" / "postgresql.conf"


def unit_variables(*files: Path) -> dict[str, str]:
    lines = [line for file in files for line in unit_values(file, "Environment")]
    pairs = (word.split("=", 1) for line in lines for word in shlex.split(line))
    return {name: value for name, value in pairs if not name.startswith("PYTHON")}


def systemd(*files: Path) -> dict[str, str]:
    return assignments(DEPLOY / "systemd" / "settings.env") | unit_variables(*files)


SERVICES: dict[str, Callable[[], dict[str, str]]] = {
    "compose": lambda: services()["app"]["environment"],
    "systemd": lambda: systemd(UNIT),
    "systemd with PostgreSQL": lambda: systemd(UNIT, DROP_IN),
    "kubernetes": lambda: kubernetes.variables(next(kubernetes.pods())),
}
MIGRATIONS: dict[str, Callable[[], dict[str, str]]] = {
    "compose": lambda: services()["migrate"]["environment"],
    "kubernetes": lambda: kubernetes.variables(list(kubernetes.pods())[1]),
}


def setting(variable: str) -> str:
    """The setting that a variable gives, by its own name or by NAME_FILE."""
    return variable if variable in KNOWN else variable.removesuffix("_FILE")


def accepted(variables: dict[str, str], secrets: Path) -> Settings:
    """What the service makes of `variables`, with its secrets in `secrets`."""
    ours = {
        name: re.sub(r"^(/run/secrets/(auth-example/)?|%d/)", f"{secrets}/", value)
        for name, value in variables.items()
        if setting(name) not in upcoming.SETTINGS | upcoming.VALUES
    }
    return Settings.from_environment(ours)


@pytest.mark.parametrize("place", SERVICES)
def test_every_variable_of_the_service_is_a_setting(place: str) -> None:
    assert {name for name in SERVICES[place]() if setting(name) not in KNOWN} == set()


@pytest.mark.parametrize("place", MIGRATIONS)
def test_a_migration_is_told_where_the_database_is_and_nothing_else(place: str) -> None:
    assert MIGRATIONS[place]().keys() == {"DATABASE_URL_FILE"}
    assert MIGRATIONS[place]()["DATABASE_URL_FILE"].endswith("/database_owner_url")


@pytest.mark.parametrize("place", SERVICES)
def test_secrets_are_files(place: str) -> None:
    assert SECRETS & SERVICES[place]().keys() == set()
    assert {"JWT_SECRET_FILE", "DECOY_SECRET_FILE"} <= SERVICES[place]().keys()


@pytest.mark.parametrize("place", SERVICES)
def test_the_service_accepts_it_as_it_stands(place: str, secrets: Path) -> None:
    settings = accepted(SERVICES[place](), secrets)
    assert not settings.uses_development_secret
    assert settings.origin == ("https://login.example.com",)
    assert settings.trusted_proxies


@pytest.mark.parametrize("place", SERVICES)
def test_it_is_for_production(place: str) -> None:
    assert SERVICES[place]()["ENVIRONMENT"] == "production"
    assert not any(name.startswith("DANGER") for name in SERVICES[place]())


def test_the_defaults_are_nowhere_repeated() -> None:
    repeated = {
        f"{place}: {name}"
        for place, variables in SERVICES.items()
        for name, value in variables().items()
        if name.lower() in Settings.model_fields.keys() - {"rp_name"}
        and str(Settings.model_fields[name.lower()].default) == value
    }
    assert repeated == set()


def test_nothing_that_is_called_upcoming_is_there_already() -> None:
    assert upcoming.SETTINGS & {name.upper() for name in Settings.model_fields} == set()
    if "DATABASE_URL" in upcoming.VALUES:
        with pytest.raises(ConfigurationError):
            Settings.from_environment({"DATABASE_URL": "postgresql://auth@postgres/auth"})
