"""The files themselves: tidy YAML, scripts that parse, and a document that names what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.deploy.workshop import DEPLOY, ROOT, output_of, run, tool

RULES = "{extends: default, rules: {document-start: disable, line-length: {max: 100}}}"
FILES = [
    *(ROOT / name for name in ("Dockerfile", ".dockerignore", "compose.yaml")),
    *sorted(file for file in DEPLOY.rglob("*") if file.is_file() and file.parent.name != "secrets"),
]
YAML = [file for file in FILES if file.suffix == ".yaml"]
COMMENTED = [file for file in FILES if file.suffix != ".yaml"]
DOCUMENT = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)


@pytest.mark.parametrize("file", YAML, ids=lambda path: path.name)
def test_yaml_is_tidy(file: Path) -> None:
    output_of(tool("yamllint"), "--strict", "--config-data", RULES, file)


def test_every_shell_script_parses_and_can_be_run() -> None:
    scripts = sorted(DEPLOY.rglob("*.sh"))
    assert scripts
    for script in scripts:
        assert run("sh", "-n", script).returncode == 0
        assert script.stat().st_mode & 0o111


@pytest.mark.parametrize("block", BLOCKS)
def test_every_command_in_the_document_parses(block: str) -> None:
    assert run("bash", "-n", "-c", block).stderr == ""


def test_every_path_in_the_document_is_there() -> None:
    paths = set(re.findall(r"\bdeploy/[\w./-]*\w", DOCUMENT))
    missing = {path for path in paths if not (ROOT / path).exists()}
    # Made by make-secrets.sh, and never part of the repository.
    assert {path for path in missing if not path.startswith("deploy/secrets")} == set()


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_no_line_is_longer_than_it_may_be(file: Path) -> None:
    long = [line for line in file.read_text(encoding="utf-8").splitlines() if len(line) > 100]
    # One program in Python and one answer in JSON, which cannot be broken.
    assert len(long) <= (file.name in {"Dockerfile", "Caddyfile"})


@pytest.mark.parametrize("file", COMMENTED, ids=lambda path: path.name)
def test_a_file_begins_with_what_it_is_for(file: Path) -> None:
    text = file.read_text(encoding="utf-8").removeprefix("#!/bin/sh\n")
    assert text.startswith(("# ", "-- "))
