"""The documents say what the code does, and nothing else: both ways, name by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import audit
from core.settings import Settings
from main import create_app
from models import AuditLog

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EVENTS = (ROOT / "docs" / "audit-events.md").read_text(encoding="utf-8")
CEREMONIES = [ROOT / "audit.py", ROOT / "core/relying_party/authentication.py"]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def first_cells(text: str) -> set[str]:
    """The code in the first cell of every table row."""
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def section(text: str, heading: str) -> str:
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_every_setting_stands_in_the_readme_and_the_reverse() -> None:
    documented = first_cells(section(README, "Settings"))
    assert documented == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_a_setting_has_its_true_default_in_the_readme(name: str) -> None:
    default = Settings.model_fields[name].default
    row = next(line for line in README.splitlines() if line.startswith(f"| `{name.upper()}` |"))
    plain = isinstance(default, int | str | Path) and default not in ("", False)
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    if plain or default is False:
        assert f"| `{shown}` |" in row
    else:
        # Empty, secret or derived: said in words, or as the list it is.
        assert f"| `{shown}` |" not in row


def test_every_endpoint_stands_in_the_readme_and_the_reverse() -> None:
    paths = create_app(Settings()).api.openapi()["paths"]
    served = {f"{verb.upper()} {path}" for path, verbs in paths.items() for verb in verbs}
    assert first_cells(section(README, "Use it")) == served


def test_every_event_stands_in_the_catalogue_and_the_reverse() -> None:
    row = re.compile(r"^\| `(\w+)` \| ([01]) \| `(\w+)` \|", re.MULTILINE)
    events = [
        (kind.event_type, str(int(kind.success)), kind.__name__)
        for kind in audit.Event.__subclasses__()
    ]
    assert sorted(row.findall(EVENTS)) == sorted(events)


def test_every_audit_column_stands_in_the_catalogue() -> None:
    columns = {"id", *re.findall(r"`(\w+)`", section(EVENTS, "Columns"))}
    assert {column.name for column in AuditLog.__table__.columns} <= columns


def test_every_event_class_says_what_it_means() -> None:
    assert all(kind.__doc__ for kind in audit.Event.__subclasses__())


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 200


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_a_document_links_to_is_there(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("reason", ["backup_eligibility_changed", "possible_clone"])
def test_the_reasons_that_lock_a_genuine_passkey_out_are_documented(reason: str) -> None:
    """They are distinct words, which a query can find."""
    assert reason in first_cells(section(EVENTS, "Genuine passkeys that are refused"))
    assert any(f'"{reason}"' in file.read_text("utf-8") for file in CEREMONIES)
