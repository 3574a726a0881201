"""The manifests: schemas accept them, and every pod keeps to the restricted profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigurationError
from core.settings import Settings
from tests.deploy import dockerfile, kubernetes
from tests.deploy.composed import services
from tests.deploy.kubernetes import FOLDER, OPTIONAL, pods, rendered, rendered_text, the
from tests.deploy.workshop import documents, output_of, tool

VERSION = "1.37"
UID = int(dockerfile.the("USER").text.partition(":")[0])
SETS = {"as it stands": (), "with all that is optional": OPTIONAL}
# The restricted profile allows more; these are enough.
VOLUMES = {"secret", "emptyDir"}


def pod_ids() -> list[str]:
    return ["service", "migration"]


@pytest.fixture(params=[0, 1], ids=pod_ids())
def pod(request: pytest.FixtureRequest) -> dict[str, Any]:
    spec: dict[str, Any] = list(pods())[request.param]["spec"]
    return spec


@pytest.fixture
def container(pod: dict[str, Any]) -> dict[str, Any]:
    (found,) = pod["containers"]
    assert "initContainers" not in pod
    return dict(found)


@pytest.mark.parametrize("components", SETS.values(), ids=SETS)
def test_every_object_fits_its_schema(components: tuple[str, ...], tmp_path: Path) -> None:
    objects = rendered_text(*components).split("\n---\n")
    file = tmp_path / "rendered.yaml"
    # What the Prometheus operator defines has no schema here.
    file.write_text("\n---\n".join(text for text in objects if "monitoring.coreos.com" not in text))
    validate(file)


def test_the_example_of_a_secret_fits_its_schema() -> None:
    validate(FOLDER / "secret.example.yaml")


def validate(file: Path) -> None:
    output_of(tool("kubernetes-validate"), "--kubernetes-version", VERSION, "--strict", file)


def test_every_object_is_in_the_namespace() -> None:
    for found in rendered(*OPTIONAL):
        if found["kind"] != "Namespace":
            assert found["metadata"]["namespace"] == "auth-example", found["kind"]


def test_the_namespace_enforces_the_restricted_profile() -> None:
    labels = the("Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_pod_runs_as_the_images_user(pod: dict[str, Any]) -> None:
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": UID,
        "runAsGroup": UID,
        "fsGroup": UID,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def test_a_container_can_change_nothing_and_gain_nothing(container: dict[str, Any]) -> None:
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_a_pod_has_nothing_of_its_node_and_no_token(pod: dict[str, Any]) -> None:
    assert pod["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    for volume in pod["volumes"]:
        assert volume.keys() - {"name"} <= VOLUMES


def test_what_is_writable_is_bounded(pod: dict[str, Any]) -> None:
    for volume in pod["volumes"]:
        assert "secret" in volume or "sizeLimit" in volume["emptyDir"]


def test_a_container_says_what_it_needs_and_what_it_may_take(container: dict[str, Any]) -> None:
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]


def test_every_image_has_a_version_and_comes_from_no_named_registry(
    container: dict[str, Any],
) -> None:
    assert container["image"] == services()["app"]["image"] == "auth-example:1.0.0"


def test_the_service_runs_what_the_image_runs() -> None:
    (container,) = the("Deployment")["spec"]["template"]["spec"]["containers"]
    assert not {"command", "args"} & container.keys()
    (port,) = container["ports"]
    assert str(port["containerPort"]) == dockerfile.the("EXPOSE").text


def test_the_migration_runs_what_compose_runs() -> None:
    (container,) = the("Job", "auth-example-migrate")["spec"]["template"]["spec"]["containers"]
    compose = services()["migrate"]
    assert container["command"] == compose["command"]
    assert container["workingDir"] == compose["working_dir"]


def test_no_replica_goes_before_its_successor_is_ready() -> None:
    spec = the("Deployment")["spec"]
    assert spec["replicas"] == 3
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert the("PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_a_pod_has_time_to_leave_the_balancers_and_to_end_its_requests() -> None:
    spec = the("Deployment")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    words = dockerfile.the("CMD").words
    grace = int(words[words.index("--timeout-graceful-shutdown") + 1])
    assert spec["terminationGracePeriodSeconds"] > pause + grace


@pytest.mark.parametrize("kind", ["Service", "PodDisruptionBudget", "ServiceMonitor"])
def test_it_selects_the_pods_of_the_service_and_not_the_migrations(kind: str) -> None:
    selector = the(kind, "auth-example", "monitoring")["spec"]["selector"]
    chosen = selector.get("matchLabels", selector)
    service, migration = (template["metadata"]["labels"] for template in pods())
    target = service if kind != "ServiceMonitor" else the("Service")["metadata"]["labels"]
    assert chosen.items() <= target.items()
    assert not chosen.items() <= migration.items()


def test_nothing_goes_in_or_out_unless_it_is_named() -> None:
    deny = the("NetworkPolicy", "default-deny")["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    policies = [found["spec"] for found in rendered() if found["kind"] == "NetworkPolicy"]
    for policy in policies:
        assert policy["policyTypes"] == ["Ingress", "Egress"]
        for rule in (*policy.get("ingress", ()), *policy.get("egress", ())):
            assert rule["ports"]
            assert rule.get("from") or rule.get("to")


def test_every_pod_has_a_policy_and_nobody_calls_the_migration() -> None:
    for template, name in zip(pods(), ("auth-example", "auth-example-migrate"), strict=True):
        policy = the("NetworkPolicy", name)["spec"]
        assert (
            policy["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
        )
    assert "ingress" not in the("NetworkPolicy", "auth-example-migrate")["spec"]


def test_a_changed_setting_rolls_the_pods() -> None:
    (container,) = the("Deployment")["spec"]["template"]["spec"]["containers"]
    (source,) = container["envFrom"]
    name = source["configMapRef"]["name"]
    assert name == the("ConfigMap")["metadata"]["name"]
    # The hash of its contents is in its name.
    assert name.startswith("auth-example-")


def test_every_secret_that_a_pod_reads_is_in_the_example() -> None:
    examples = {
        found["metadata"]["name"]: set(found["stringData"])
        for found in documents((FOLDER / "secret.example.yaml").read_text())
    }
    for template in pods():
        (mounted,) = (each["secret"] for each in template["spec"]["volumes"] if "secret" in each)
        files = {value for name, value in kubernetes.variables(template).items() if "_FILE" in name}
        names = {Path(file).name for file in files if "/run/secrets/" in file}
        assert names == examples.pop(mounted["secretName"])
    assert examples == {}


def test_the_secrets_of_the_example_are_refused() -> None:
    example, _ = documents((FOLDER / "secret.example.yaml").read_text())
    with pytest.raises(ConfigurationError, match="JWT_SECRET"):
        Settings.from_environment({"JWT_SECRET": example["stringData"]["jwt_secret"]})


def test_no_secret_is_applied_with_the_rest() -> None:
    assert "Secret" not in {found["kind"] for found in rendered(*OPTIONAL)}


def test_the_autoscaler_has_the_say_on_replicas_when_there_is_one() -> None:
    assert "replicas" not in the("Deployment", "auth-example", *OPTIONAL)["spec"]
    scaler = the("HorizontalPodAutoscaler", "auth-example", *OPTIONAL)["spec"]
    assert scaler["minReplicas"] == the("Deployment")["spec"]["replicas"]
    assert scaler["scaleTargetRef"]["name"] == "auth-example"


def test_the_ingress_leads_to_the_service() -> None:
    (rule,) = the("Ingress")["spec"]["rules"]
    (port,) = the("Service")["spec"]["ports"]
    for path in rule["http"]["paths"]:
        assert path["backend"]["service"] == {
            "name": the("Service")["metadata"]["name"],
            "port": {"name": port["name"]},
        }
    assert [rule["host"]] == the("Ingress")["spec"]["tls"][0]["hosts"]
