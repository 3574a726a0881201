"""compose.yaml, as Docker Compose reads it: little may do anything, and only the proxy is seen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.deploy import dockerfile
from tests.deploy.composed import composed, refusal, services
from tests.deploy.workshop import ROOT

SERVICES = ("proxy", "app", "migrate", "postgres", "redis")
LASTING = ("proxy", "app", "postgres", "redis")
SECRETS = {
    "proxy": set(),
    "app": {"jwt_secret", "decoy_secret", "database_url", "redis_url"},
    "migrate": {"database_owner_url"},
    "postgres": {"postgres_password", "database_password", "database_owner_password"},
    "redis": {"redis_acl"},
}
NETWORKS = {
    "proxy": {"public", "front"},
    "app": {"front", "back"},
    "migrate": {"back"},
    "postgres": {"back"},
    "redis": {"back"},
}
FORBIDDEN = {"privileged", "network_mode", "pid", "ipc", "devices", "userns_mode", "env_file"}


def test_these_are_the_services() -> None:
    assert services().keys() == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_it_can_change_nothing_and_gain_nothing(name: str) -> None:
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not FORBIDDEN & service.keys()


def test_the_one_capability_is_to_listen_on_a_low_port() -> None:
    added = {name: service.get("cap_add", []) for name, service in services().items()}
    assert added.pop("proxy") == ["NET_BIND_SERVICE"]
    assert not any(added.values())


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_what_others_built_does_not_run_as_root(name: str) -> None:
    assert services()[name]["user"] == name


@pytest.mark.parametrize("name", SERVICES)
def test_it_cannot_take_the_whole_machine(name: str) -> None:
    limits = services()[name]["deploy"]["resources"]["limits"]
    assert limits.keys() >= {"cpus", "memory", "pids"}


@pytest.mark.parametrize("name", SERVICES)
def test_its_log_cannot_fill_the_disk(name: str) -> None:
    assert services()[name]["logging"]["options"].keys() >= {"max-size", "max-file"}


@pytest.mark.parametrize("name", SERVICES)
def test_its_image_has_a_version_and_comes_from_no_named_registry(name: str) -> None:
    assert re.fullmatch(r"[a-z-]+:\d[\w.-]*", services()[name]["image"])


@pytest.mark.parametrize("name", LASTING)
def test_it_is_checked_for_health_and_started_again(name: str) -> None:
    service = services()[name]
    assert service["restart"] == "unless-stopped"
    # The service's own check is the image's.
    assert "healthcheck" in service or ("build" in service and dockerfile.health_command())


def test_only_the_proxy_is_published() -> None:
    published = {
        (name, port["published"], port["protocol"])
        for name, service in services().items()
        for port in service.get("ports", ())
    }
    assert published == {("proxy", "80", "tcp"), ("proxy", "443", "tcp"), ("proxy", "443", "udp")}


@pytest.mark.parametrize("name", SERVICES)
def test_it_is_in_no_network_that_it_does_not_need(name: str) -> None:
    assert services()[name]["networks"].keys() == NETWORKS[name]


def test_only_the_proxys_network_reaches_the_world() -> None:
    networks = composed()["networks"]
    assert {name for name, network in networks.items() if not network.get("internal")} == {"public"}


@pytest.mark.parametrize("name", SERVICES)
def test_it_is_given_no_secret_that_it_does_not_need(name: str) -> None:
    given = {secret["source"] for secret in services()[name].get("secrets", ())}
    assert given == SECRETS[name]


def test_every_secret_is_a_file_outside_the_repository() -> None:
    secrets = composed()["secrets"]
    assert secrets.keys() == set().union(*SECRETS.values())
    folder = ROOT / "deploy" / "secrets"
    assert {Path(secret["file"]).parent for secret in secrets.values()} == {folder}
    assert "/secrets/" in (ROOT / "deploy" / ".gitignore").read_text().splitlines()


def test_no_secret_stands_in_an_environment_or_a_command() -> None:
    for service in services().values():
        assert not re.search("(?i)password|secret|://", str(service.get("command")))
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|KEY|_URL", variable):
                assert variable.endswith("_FILE")
                assert value.startswith("/run/secrets/")


def test_every_file_that_is_mounted_is_there() -> None:
    files = [Path(config["file"]) for config in composed()["configs"].values()]
    assert files
    assert [file for file in files if not file.is_file()] == []


def test_no_folder_of_the_host_is_mounted() -> None:
    volumes = [each for service in services().values() for each in service.get("volumes", ())]
    assert {each["type"] for each in volumes} == {"volume"}


def test_there_are_three_replicas() -> None:
    assert services()["app"]["deploy"]["replicas"] == 3


def test_replicas_share_no_disk() -> None:
    assert "volumes" not in services()["app"]


def test_the_network_whose_forwarded_addresses_are_believed_is_the_proxys() -> None:
    assert trusted(composed()) == subnet(composed())
    moved = composed(LOGIN_HOST="localhost", FRONT_SUBNET="10.99.0.0/24")
    assert trusted(moved) == subnet(moved) == "10.99.0.0/24"


def trusted(project: dict[str, Any]) -> str:
    return str(project["services"]["app"]["environment"]["TRUSTED_PROXIES"])


def subnet(project: dict[str, Any]) -> str:
    (config,) = project["networks"]["front"]["ipam"]["config"]
    return str(config["subnet"])


def test_the_host_that_people_visit_must_be_named() -> None:
    assert "LOGIN_HOST" in refusal(LOGIN_HOST="")


def test_relying_party_and_origin_follow_the_host_unless_they_are_set() -> None:
    app = services()["app"]["environment"]
    assert (app["RP_ID"], app["ORIGIN"]) == ("login.example.com", "https://login.example.com")
    other = composed(LOGIN_HOST="login.example.com", RP_ID="example.com")
    assert other["services"]["app"]["environment"]["RP_ID"] == "example.com"


def test_the_service_starts_after_the_migration_and_the_proxy_after_the_service() -> None:
    conditions = {
        name: {on: wait["condition"] for on, wait in service.get("depends_on", {}).items()}
        for name, service in services().items()
    }
    assert conditions["app"] == {
        "migrate": "service_completed_successfully",
        "redis": "service_healthy",
    }
    assert conditions["migrate"] == {"postgres": "service_healthy"}
    assert conditions["proxy"] == {"app": "service_healthy"}


def test_the_migration_runs_once_in_the_same_image() -> None:
    assert services()["migrate"]["restart"] == "no"
    assert services()["migrate"]["image"] == services()["app"]["image"]


def test_requests_under_way_have_time_to_end() -> None:
    words = dockerfile.the("CMD").words
    grace = int(words[words.index("--timeout-graceful-shutdown") + 1])
    assert int(services()["app"]["stop_grace_period"].removesuffix("s")) > grace
