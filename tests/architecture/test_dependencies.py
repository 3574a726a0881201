"""Every package that the service imports is pinned, with hashes, and every pin is needed."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import distribution, distributions, packages_distributions, version
from itertools import combinations
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from cli.doctor.runtime import FLOORS
from tests.architecture.layers import LAYER_OF, service_imports

ROOT = Path(__file__).resolve().parents[2]
RUNTIME, DEVELOP, CONSTRAINTS = "requirements.txt", "requirements-dev.txt", "constraints.txt"
# What only those need who set OTEL_* variables.
TRACES = "requirements-otel.txt"
# Each lock with the files whose requirements it pins.
LOCKS = {"requirements.lock": (RUNTIME,), "requirements-otel.lock": (RUNTIME, TRACES)}
TEST_TOOLS = {"pytest", "httpx"}

# Imported only where it is asked for.
OPTIONAL = {"opentelemetry"}

# Needed at run time all the same.
NOT_IMPORTED = {
    "uvicorn": "serves the application from outside: `python -m uvicorn main:app`",
    "uvloop": "uvicorn picks it up by itself",
    "greenlet": "units of work run in one on PostgreSQL, by way of SQLAlchemy",
    "httptools": "uvicorn picks it up by itself",
    "hiredis": "redis picks it up by itself: a twelfth of a login's CPU on Redis",
    "pytest": "runs the tests",
    "httpx": "the tests' client",
}


def lines(file: str) -> list[str]:
    return [line for line in (ROOT / file).read_text(encoding="utf-8").splitlines() if line]


def requirements(file: str) -> dict[str, Requirement]:
    found = [Requirement(line) for line in lines(file) if not line.startswith(("#", "-"))]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def imported_by_the_service() -> set[str]:
    """The distributions, of ours and others, that the service imports."""
    owners = packages_distributions()
    found = {imported.room for imported in service_imports()}
    found -= sys.stdlib_module_names | set(LAYER_OF) | OPTIONAL
    return {canonicalize_name(owner) for name in found for owner in owners.get(name, [name])}


@pytest.mark.parametrize("file", [RUNTIME, TRACES, DEVELOP, CONSTRAINTS])
def test_every_requirement_is_pinned_to_one_version(file: str) -> None:
    for requirement in requirements(file).values():
        pins = list(requirement.specifier)
        assert [pin.operator for pin in pins] == ["=="], requirement
        assert "*" not in pins[0].version, requirement


def test_what_the_requirements_pull_in_is_pinned_too() -> None:
    pinned: dict[str, Requirement] = {}
    for file in (RUNTIME, TRACES, DEVELOP, CONSTRAINTS):
        pinned |= requirements(file)
    loose = {
        f"{needed.name} (by {name})"
        for name in pinned.keys() & installed()
        for needed in map(Requirement, distribution(name).requires or ())
        if (needed.marker is None or needed.marker.evaluate({"extra": ""}))
        and canonicalize_name(needed.name) not in pinned
    }
    assert loose == set()


def installed() -> set[str]:
    return {canonicalize_name(found.name) for found in distributions()}


def test_no_pin_stands_in_two_files() -> None:
    files = [requirements(file) for file in (RUNTIME, TRACES, DEVELOP, CONSTRAINTS)]
    for one, other in combinations(files, 2):
        assert not one.keys() & other.keys()


def test_the_files_refer_to_one_another() -> None:
    assert f"-c {CONSTRAINTS}" in lines(RUNTIME)
    assert f"-r {RUNTIME}" in lines(TRACES)
    assert {f"-r {RUNTIME}", f"-r {TRACES}"} <= set(lines(DEVELOP))


def test_no_file_says_where_packages_come_from() -> None:
    files = (RUNTIME, TRACES, DEVELOP)
    options = {line for file in files for line in lines(file) if line[0] == "-"}
    assert options == {f"-c {CONSTRAINTS}", f"-r {RUNTIME}", f"-r {TRACES}"}
    assert not [line for file in LOCKS for line in lines(file) if "://" in line or line[0] == "-"]


def locked(file: str) -> dict[str, Requirement]:
    """The pins of a lock by package; their hashes stand on the lines below each."""
    pins = [line.removesuffix("\\") for line in lines(file) if line[0] not in "# "]
    return {canonicalize_name(pin.name): pin for pin in map(Requirement, pins)}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_what_the_other_files_pin(lock: str) -> None:
    pinned = requirements(CONSTRAINTS)
    for file in LOCKS[lock]:
        pinned |= requirements(file)
    direct = {name for file in LOCKS[lock] for name in requirements(file)} - TEST_TOOLS
    assert direct <= locked(lock).keys()
    assert {name: pin.specifier for name, pin in locked(lock).items()} == {
        name: pinned[name].specifier for name in locked(lock)
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_everything_that_its_packages_need(lock: str) -> None:
    needed = {
        canonicalize_name(requirement.name)
        for name in locked(lock).keys() & installed()
        for requirement in map(Requirement, distribution(name).requires or ())
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }
    assert needed - locked(lock).keys() == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_has_hashes(lock: str) -> None:
    text = re.sub(r"^#.*\n", "", (ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE)
    entries = text.replace("\\\n", "").splitlines()
    assert len(entries) == len(locked(lock))
    for entry in entries:
        assert re.fullmatch(r"[^ ]+==[^ ]+( ; [^#]+?)?( +--hash=sha256:[0-9a-f]{64})+", entry), (
            entry
        )


@pytest.mark.parametrize("lock", LOCKS)
def test_a_package_with_compiled_code_has_the_files_of_all_platforms(lock: str) -> None:
    """One wheel for each platform and Python: a lock made for one machine would have one hash."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    for name in ("cryptography", "pydantic-core", "sqlalchemy"):
        entry = text.partition(f"\n{name}==")[2].partition("\n")[2]
        hashes = re.match(r"(    --hash=\S+( \\)?\n)+", entry)
        assert hashes is not None
        assert hashes[0].count("--hash") > 20, name


@pytest.mark.parametrize("file", [RUNTIME, TRACES, DEVELOP])
def test_every_group_of_requirements_says_what_it_is_for(file: str) -> None:
    for group in (ROOT / file).read_text(encoding="utf-8").split("\n\n"):
        assert group.startswith("# "), group


def test_the_installed_versions_are_the_pinned_ones() -> None:
    for name, requirement in requirements(RUNTIME).items():
        if requirement.marker is None or requirement.marker.evaluate():
            assert requirement.specifier.contains(version(name)), name


@pytest.mark.parametrize("name", FLOORS)
def test_no_dependency_is_older_than_its_security_floor(name: str) -> None:
    (pin,) = requirements(RUNTIME)[canonicalize_name(name)].specifier
    assert Version(pin.version) >= Version(FLOORS[name])


def test_the_packages_for_traces_are_not_needed_to_start() -> None:
    started = (
        "import sys; sys.modules['opentelemetry.sdk'] = None; sys.modules['google'] = None; "
        "import main; print('routes.edge.tracing_spans' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", started],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    assert done.stdout == "False\n"


def test_every_import_of_the_service_is_a_runtime_requirement() -> None:
    assert imported_by_the_service() - requirements(RUNTIME).keys() == set()


def test_every_runtime_requirement_is_imported_or_accounted_for() -> None:
    assert requirements(RUNTIME).keys() - imported_by_the_service() == NOT_IMPORTED.keys()
