"""Imports run one way, and a library that decides about security or storage has few owners."""

from __future__ import annotations

import re
import sys

import pytest

from tests.architecture.layers import (
    LAYER_OF,
    OUTSIDE,
    ROOT_MODULES,
    imports,
    may_import,
    room_of,
    service_imports,
)
from tests.architecture.tree import ROOT

SERVICE_IMPORTS = service_imports()
# Which modules may import a library; the name of a library is its first part.
OWNERS = {
    "jwt": r"core/tokens/\w+\.py",
    "webauthn": r"core/relying_party/py_webauthn\.py",
    "sqlalchemy": r"models\.py|stores/\w+\.py|core/database/\w+\.py",
    "alembic": r"core/database/schema_version\.py",
    "asyncpg": r"core/database/postgres\.py",
    "redis": r"stores/(challenges|rate_counters)/redis\.py|stores/redis_pool\.py",
    "prometheus_client": r"services/metrics(_files)?\.py|routes/(metrics|edge/request_metrics)\.py",
    "opentelemetry": r"routes/edge/tracing_spans\.py",
    "fastapi": r"main\.py|routes/.*",
    "starlette": r"main\.py|routes/.*",
    "email_validator": r"core/email_address\.py",
}


def test_imports_run_one_way() -> None:
    upward = {
        f"{found.importer} imports {found.room}"
        for found in SERVICE_IMPORTS
        if found.room in LAYER_OF and not may_import(room_of(ROOT / found.importer), found.room)
    }
    assert upward == set()


def test_the_service_imports_nothing_from_outside_itself() -> None:
    outward = {
        f"{found.importer} imports {found.room}"
        for found in SERVICE_IMPORTS
        if found.room in OUTSIDE
    }
    assert outward == set()


@pytest.mark.parametrize("library", OWNERS)
def test_a_sensitive_library_is_imported_by_its_owners_alone(library: str) -> None:
    strangers = {
        f"{found.importer} takes {found.name or 'all'}"
        for found in SERVICE_IMPORTS
        if found.room == library and not re.fullmatch(OWNERS[library], found.importer)
    }
    assert strangers == set()


def test_the_root_folder_holds_no_other_modules() -> None:
    assert {path.stem for path in ROOT.glob("*.py")} - {"conftest"} == ROOT_MODULES


def test_every_package_at_the_root_has_its_place() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/*.py")}
    assert packages - OUTSIDE - LAYER_OF.keys() == set()


def test_the_reset_script_needs_nothing_installed() -> None:
    assert {found.room for found in imports(ROOT / "reset_db.py")} <= sys.stdlib_module_names
