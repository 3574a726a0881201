"""The files that people expect of a repository are there, and say what is true."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from packaging.specifiers import SpecifierSet

from main import VERSION
from scripts.pin import OLDEST_PYTHON

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DECISIONS = ROOT / "docs" / "decisions"
PAGES = sorted(DECISIONS.glob("[0-9]*.md"))
YAML = [ROOT / ".pre-commit-config.yaml", *sorted((ROOT / ".github").rglob("*.y*ml"))]
YAML_RULES = "{extends: default, rules: {document-start: disable, line-length: {max: 100}}}"
DOCUMENTS = [
    *(ROOT / f"{name}.md" for name in ("CHANGELOG", "CONTRIBUTING", "SECURITY")),
    *sorted(DECISIONS.glob("*.md")),
    *sorted((ROOT / ".github").rglob("*.md")),
]


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def load(path: str) -> dict[str, Any]:
    """A YAML file; every key is a string, as GitHub reads it."""
    loaded = yaml.safe_load(text(path))
    assert isinstance(loaded, dict)
    assert all(isinstance(key, str) for key in loaded)
    return loaded


def supported_pythons() -> list[str]:
    """The minor versions that the classifiers of pyproject.toml name, in their order."""
    prefix = "Programming Language :: Python :: "
    return [line.removeprefix(prefix) for line in PROJECT["classifiers"] if prefix in line]


def run(tool: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a tool of the environment in the root folder; it makes no request."""
    command = [Path(sys.executable).with_name(tool), *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


# --- versions and Pythons --------------------------------------------------------------------


def test_the_version_is_the_same_everywhere() -> None:
    assert PROJECT["version"] == VERSION
    releases = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", text("CHANGELOG.md"), re.MULTILINE)
    assert releases[0] == VERSION


def test_every_supported_python_satisfies_requires_python_and_none_older_does() -> None:
    allowed = SpecifierSet(PROJECT["requires-python"])
    pythons = supported_pythons()
    assert pythons == sorted(pythons, key=lambda python: int(python.split(".")[1]))
    assert all(allowed.contains(f"{python}.0") for python in pythons)
    oldest = int(pythons[0].split(".")[1])
    assert not allowed.contains(f"3.{oldest - 1}.99")
    assert pythons[0] == OLDEST_PYTHON


def test_the_scripts_ask_for_the_same_python() -> None:
    oldest = supported_pythons()[0]
    assert f"Python {oldest} or newer" in text("README.md")
    condition = f"sys.version_info < ({oldest.replace('.', ', ')})"
    for script in ("scripts/find-python.sh", "scripts/venv.sh"):
        assert condition in text(script)
    candidates = re.findall(
        r"python(3\.\d+)\b", text("scripts/find-python.sh").partition("for ")[2]
    )
    assert set(supported_pythons()) <= set(candidates)


def test_the_project_says_what_it_is() -> None:
    assert PROJECT["license"] == "MIT"
    assert "MIT License" in text(PROJECT["license-files"][0])
    assert (ROOT / PROJECT["readme"]).is_file()
    assert len(PROJECT["description"]) > 20
    # requirements.txt has them; without this line the metadata would say that there are none.
    assert PROJECT["dynamic"] == ["dependencies"]


# --- CHANGELOG.md, SECURITY.md, CONTRIBUTING.md ----------------------------------------------


def test_the_changelog_has_the_sections_of_keep_a_changelog() -> None:
    headings = re.findall(r"^## (.+)$", text("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", line) for line in headings[1:])
    kinds = set(re.findall(r"^### (.+)$", text("CHANGELOG.md"), re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert "Added" in kinds


def test_the_security_policy_names_a_private_way_the_versions_and_the_scope() -> None:
    policy = text("SECURITY.md")
    headings = re.findall(r"^## (.+)$", policy, re.MULTILINE)
    assert headings == [
        "Reporting a vulnerability",
        "Supported versions",
        "In scope",
        "Out of scope",
    ]
    assert "Report a\nvulnerability" in policy
    assert f"| {VERSION.partition('.')[0]}.x | yes" in policy
    assert "(docs/threat-model.md)" in policy


def test_the_contributing_page_says_where_things_go_and_what_words_mean() -> None:
    page = text("CONTRIBUTING.md")
    where = page.partition("\n## Where does X go\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (?!you add|---)([^|]+) \|", where, re.MULTILINE)
    assert {"an endpoint", "an event", "a setting", "a table or a column"} <= set(rows)
    glossary = page.partition("\n## Glossary\n")[2]
    terms = re.findall(r"^\| (?!word|---)([^|]+) \|", glossary, re.MULTILINE)
    assert terms == sorted(terms, key=lambda term: term.strip("`").casefold())
    assert "`register_begin`, `registration_begin`" in terms


@pytest.mark.parametrize(
    "target", re.findall(r"(?:^|`)make ([a-z-]+)", text("CONTRIBUTING.md"), re.M)
)
def test_every_target_that_the_page_names_is_in_the_makefile(target: str) -> None:
    assert re.search(rf"^{target}:.* ## |^{target}:$", text("Makefile"), re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_a_document_links_to_is_there(document: Path) -> None:
    prose = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\((?!https?:)([^)#]+)", prose)
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_readme_leads_to_all_of_them() -> None:
    readme = text("README.md")
    for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/decisions/README.md"):
        assert f"]({name})" in readme


# --- docs/decisions --------------------------------------------------------------------------


def test_the_index_has_every_decision_under_its_own_number() -> None:
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\d{4})\]\((.+?\.md)\) \| .+ \|$", index, re.MULTILINE)
    assert [file for _, file in rows] == [page.name for page in PAGES]
    assert all(file.startswith(f"{number}-") for number, file in rows)
    assert len({number for number, _ in rows}) == len(rows)


# In this order; "Price" and "When to revisit" are optional.
SECTIONS = ("Context", "Decision", "Price", "Consequences", "When to revisit")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_decision_has_its_title_its_status_and_its_sections(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(rf"# {page.name[:4]}: .+", lines[0])
    assert re.match(r"Status: (accepted|replaced by \[\d{4}\]\(.+\)) on \d+ \w+ \d{4}", lines[2])
    headings = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    assert [heading for heading in SECTIONS if heading in headings] == headings
    assert {"Context", "Decision", "Consequences"} <= set(headings)


# --- CI, hooks, updates ----------------------------------------------------------------------


def test_ci_runs_the_script_on_every_supported_python() -> None:
    job = load(".github/workflows/ci.yml")["jobs"]["test"]
    assert job["strategy"]["matrix"]["python"] == supported_pythons()
    assert job["steps"][-1]["run"] == ".ci/run"
    setup = next(step for step in job["steps"] if "setup-python" in step.get("uses", ""))
    assert setup["with"]["python-version"] == "${{ matrix.python }}"


def test_ci_has_the_servers_where_the_tests_look_in_the_versions_that_are_deployed() -> None:
    services = load(".github/workflows/ci.yml")["jobs"]["test"]["services"]
    deployed = load("compose.yaml")["services"]
    for name, port in {"postgres": 5432, "redis": 6379}.items():
        assert services[name]["image"] == deployed[name]["image"]
        assert services[name]["ports"] == [f"127.0.0.1:{port}:{port}"]
        assert f"answers {port}" in text("scripts/ensure-services.sh")


def test_the_workflow_may_read_and_nothing_else_and_pins_what_it_uses() -> None:
    workflow = load(".github/workflows/ci.yml")
    assert workflow["permissions"] == {"contents": "read"}
    used = [step["uses"] for step in workflow["jobs"]["test"]["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)


def test_zizmor_finds_nothing_in_the_workflow_and_the_update_configuration() -> None:
    """zizmor checks both files against GitHub's schemas, too."""
    done = run("zizmor", "--offline", "--no-progress", "--no-config", ".github")
    assert (done.returncode, "completed" in done.stderr) == (0, True), done.stdout + done.stderr
    assert "dependabot.yml" in done.stderr


@pytest.mark.parametrize("file", YAML, ids=lambda path: path.name)
def test_yaml_is_tidy(file: Path) -> None:
    done = run("yamllint", "--strict", "--config-data", YAML_RULES, file)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_commit_is_checked_by_the_commands_of_make_lint_and_make_types() -> None:
    (repository,) = load(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    entries = [hook["entry"].split() for hook in repository["hooks"]]
    assert [(entry[0], entry[-1]) for entry in entries] == [("make", "lint"), ("make", "types")]
    assert not any(hook["pass_filenames"] for hook in repository["hooks"])
    done = run("pre-commit", "validate-config")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_updates_are_proposed_for_everything_that_is_pinned() -> None:
    updates = load(".github/dependabot.yml")["updates"]
    watched = {(update["package-ecosystem"], update["directory"]) for update in updates}
    assert watched >= {
        *(("pip", f"/{folder}".rstrip(".")) for folder in folders_with("requirements.txt")),
        *(("npm", f"/{folder}") for folder in folders_with("package-lock.json")),
        ("github-actions", "/"),
        ("docker", "/"),
        ("docker-compose", "/"),
    }


def folders_with(name: str) -> list[str]:
    """The folders in which Git knows a file of this name."""
    command = ["git", "ls-files", name, f"**/{name}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [Path(file).parent.as_posix() for file in done.stdout.splitlines()]


@pytest.mark.parametrize("name", ["bug.md", "idea.md"])
def test_an_issue_template_has_a_name_and_says_when_to_use_it(name: str) -> None:
    _, head, body = text(f".github/ISSUE_TEMPLATE/{name}").split("---\n", 2)
    assert yaml.safe_load(head).keys() == {"name", "about", "labels"}
    assert len(body) > 200


def test_a_pull_request_is_asked_for_its_tests_its_event_and_its_changelog() -> None:
    template = text(".github/PULL_REQUEST_TEMPLATE.md")
    for word in ("make test", "audit event", "threat-model.md", "CHANGELOG.md"):
        assert word in template
