"""The manifests as `kubectl kustomize` renders them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.deploy.workshop import DEPLOY, documents, output_of, tool

FOLDER = DEPLOY / "kubernetes"
OPTIONAL = ("autoscaling", "monitoring")

Object = dict[str, Any]


@lru_cache
def rendered_text(*components: str) -> str:
    """What is applied; with `components`, as if their lines were not commented out."""
    if not components:
        return output_of(tool("kubectl"), "kustomize", FOLDER)
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(FOLDER, Path(folder) / "kubernetes")
        file = copy / "kustomization.yaml"
        text = file.read_text(encoding="utf-8")
        for name in components:
            assert f"  # - components/{name}\n" in text
            text = text.replace(f"# - components/{name}\n", f"- components/{name}\n")
        file.write_text(text, encoding="utf-8")
        return output_of(tool("kubectl"), "kustomize", copy)


def rendered(*components: str) -> list[Object]:
    return documents(rendered_text(*components))


def the(kind: str, name: str = "auth-example", *components: str) -> Object:
    """The one object of that kind and name."""
    (found,) = (
        each
        for each in rendered(*components)
        if each["kind"] == kind and each["metadata"]["name"].startswith(name)
        if kind == "ConfigMap" or each["metadata"]["name"] == name
    )
    return found


def pods() -> Iterator[Object]:
    """What the Deployment and the Job make pods from."""
    yield the("Deployment")["spec"]["template"]
    yield the("Job", "auth-example-migrate")["spec"]["template"]


def variables(template: Object) -> dict[str, str]:
    """The environment of the one container in a pod."""
    (container,) = template["spec"]["containers"]
    found: dict[str, str] = {}
    if container.get("envFrom"):
        found |= the("ConfigMap")["data"]
    return found | {each["name"]: each["value"] for each in container.get("env", ())}
