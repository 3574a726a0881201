"""Write the software bill of materials of the image: CycloneDX 1.6 as JSON.

    make sbom           writes sbom.cdx.json
    .venv/bin/python scripts/sbom.py FILE

The components are the packages of requirements.lock, with the licence and the dependencies that the
metadata of the installed package states. The hashes of each release are in requirements.lock.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = "requirements.lock"


def main(arguments: list[str]) -> int:
    """Write the bill to the file that the first argument names."""
    target = Path(arguments[0] if arguments else "sbom.cdx.json")
    bom = bill_of_materials()
    target.write_text(JsonV1Dot6(bom).output_as_string(indent=2) + "\n", encoding="utf-8")
    print(f"{target}: {len(bom.components)} components")
    return 0


def bill_of_materials() -> Bom:
    """The service as the root component, and below it the packages that it needs."""
    bom = Bom()
    bom.metadata.component = root = service()
    components = {canonicalize_name(pin.name): package(pin) for pin in locked()}
    for name, component in components.items():
        bom.components.add(component)
        needed = (found for found in dependencies(name) if found in components)
        bom.register_dependency(component, [components[found] for found in needed])
    bom.register_dependency(root, components.values())
    return bom


def service() -> Component:
    """This project, as pyproject.toml describes it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return Component(
        name=project["name"],
        version=project["version"],
        type=ComponentType.APPLICATION,
        licenses=[LicenseFactory().make_from_string(project["license"])],
    )


def locked() -> Iterator[Requirement]:
    """The pins of the lock that hold on this machine."""
    for line in (ROOT / LOCK).read_text(encoding="utf-8").splitlines():
        if line and line[0] not in "# ":
            pin = Requirement(line.removesuffix("\\"))
            if pin.marker is None or pin.marker.evaluate():
                yield pin


def package(pin: Requirement) -> Component:
    """The component of an installed package. Raises ValueError if another version is installed."""
    installed = distribution(pin.name)
    if not pin.specifier.contains(installed.version):
        raise ValueError(f"{pin.name} {installed.version} is installed, {LOCK} has {pin}")
    metadata = installed.metadata.json
    licence = metadata.get("license_expression") or metadata.get("license") or "unknown"
    purl = PackageURL("pypi", name=canonicalize_name(pin.name), version=installed.version)
    return Component(
        name=pin.name,
        version=installed.version,
        type=ComponentType.LIBRARY,
        bom_ref=purl.to_string(),
        purl=purl,
        licenses=[LicenseFactory().make_from_string(str(licence))],
    )


def dependencies(name: str) -> Iterator[NormalizedName]:
    """The packages that an installed package names as its own requirements, without extras."""
    for requirement in map(Requirement, distribution(name).requires or ()):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
