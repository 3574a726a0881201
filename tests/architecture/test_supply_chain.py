"""The bill of materials and the report on vulnerabilities say what is true, and all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from main import VERSION
from scripts import audit, sbom


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `make sbom` writes."""
    file = tmp_path_factory.mktemp("sbom") / "sbom.cdx.json"
    assert sbom.main([str(file)]) == 0
    return file.read_text(encoding="utf-8")


def test_the_bill_follows_the_schema_of_cyclonedx(bill: str) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(bill) is None
    assert validator.validate_str(bill.replace('"library"', '"libary"')) is not None


def test_the_bill_has_every_package_of_the_lock_with_its_licence(bill: str) -> None:
    components = json.loads(bill)["components"]
    found = {component["name"]: component["version"] for component in components}
    assert found == {pin.name: next(iter(pin.specifier)).version for pin in sbom.locked()}
    assert {"fastapi", "webauthn", "pycparser"} <= found.keys()
    assert "pytest" not in found
    for component in components:
        assert component["purl"] == f"pkg:pypi/{component['name']}@{component['version']}"
        assert component["licenses"]


def test_the_bill_is_about_this_version_of_the_service(bill: str) -> None:
    root = json.loads(bill)["metadata"]["component"]
    assert (root["name"], root["version"], root["type"]) == ("auth-example", VERSION, "application")


def test_the_bill_says_what_needs_what(bill: str) -> None:
    graph = {entry["ref"]: entry.get("dependsOn", []) for entry in json.loads(bill)["dependencies"]}
    names = {ref: [needed.split("@")[0] for needed in found] for ref, found in graph.items()}
    (webauthn,) = (found for ref, found in names.items() if ref.startswith("pkg:pypi/webauthn@"))
    assert {"pkg:pypi/cbor2", "pkg:pypi/cryptography"} <= set(webauthn)
    assert all(needed in graph for found in graph.values() for needed in found)


def test_a_bill_is_refused_if_another_version_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "requirements.lock").write_text("h11==0.0.1 \\\n    --hash=sha256:00\n")
    monkeypatch.setattr(sbom, "ROOT", tmp_path)
    (pin,) = sbom.locked()
    with pytest.raises(ValueError, match=r"is installed, requirements\.lock has h11==0\.0\.1"):
        sbom.package(pin)


# --- scripts/audit.py ------------------------------------------------------------------------

FINE = {"name": "h11", "version": "0.16.0", "vulns": []}
HOLED = {
    "name": "cbor2",
    "version": "5.0",
    "vulns": [{"id": "CVE-2026-26209", "fix_versions": ["5.9"]}, {"id": "X-1", "fix_versions": []}],
}
UNKNOWN = {"name": "fastapi", "skip_reason": "Dependency not found"}


def report(*packages: dict[str, Any]) -> str:
    """What pip-audit prints about these packages."""
    return json.dumps({"dependencies": packages, "fixes": []})


@pytest.mark.parametrize(
    ("printed", "status", "said"),
    [
        (report(FINE), 0, "All packages (1) were looked up; no vulnerability is known."),
        (report(FINE, HOLED), 1, "cbor2 5.0: CVE-2026-26209, fixed in 5.9\n"),
        (report(HOLED), 1, "cbor2 5.0: X-1, fixed in no version yet"),
        (report(HOLED, UNKNOWN), 1, "Not checked: 1 of 2 packages"),
        (report(FINE, UNKNOWN), 3, "Not checked: 1 of 2 packages have no advisories here."),
        (report(), 3, "Not checked"),
        ("", 3, "Not checked: the advisories could not be read. Is this machine offline?"),
    ],
)
def test_the_audit_tells_clean_from_vulnerable_from_not_checked(
    printed: str, status: int, said: str
) -> None:
    found, words = audit.judge(printed)
    assert found == status
    assert said in words


def test_the_audit_says_so_when_nobody_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A proxy on a port that nobody serves: every request fails at once."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert audit.main() == 3
    said = capsys.readouterr().out
    assert said.startswith("Not checked: the advisories could not be read.")
