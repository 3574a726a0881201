"""What the README tells people to type works as it stands."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from tests.docs.test_docs import README, ROOT
from tests.support.process import running_server

CURLS = [block for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) if "curl" in block]
QUERIES = re.search(r"```sql\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder as a reader of the README has it, and a server started in it."""
    folder = tmp_path_factory.mktemp("workplace")
    (folder / ".venv" / "bin").mkdir(parents=True)
    # A link to an environment's Python forgets its packages; a word that calls it does not.
    python = folder / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    with running_server(folder) as url:
        yield folder, url


def shell(script: str, folder: Path) -> str:
    """Run `script` as a reader would, and give what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def here(script: str, url: str) -> str:
    """The same words against the test's own port; the CLI is told by --url."""
    script = script.replace("http://localhost:8000", url)
    return script.replace("devtools.passkey register", f"devtools.passkey register --url {url}")


@pytest.mark.skipif(shutil.which("curl") is None and not os.environ.get("CI"), reason="no curl")
@pytest.mark.parametrize("script", CURLS, ids=["register", "login", "profile"])
def test_a_curl_example_runs_as_it_stands(script: str, workplace: tuple[Path, str]) -> None:
    folder, url = workplace
    answer = json.loads(shell(here(script, url), folder))
    assert "publicKey" in answer or answer["email"] == "jane@example.com"


def test_the_documented_queries_and_the_promotion_work(workplace: tuple[Path, str]) -> None:
    folder, url = workplace
    email = "promoted@example.com"
    token_command = f".venv/bin/python -m devtools.passkey register --url {url} --email {email}"
    shell(token_command, folder)
    assert QUERIES is not None
    script = f"{QUERIES[1]}\nUPDATE users SET role='admin' WHERE email='{email}';"
    run_sqlite = "import sqlite3,sys; sqlite3.connect('app.db').executescript(sys.stdin.read())"
    command = [sys.executable, "-c", run_sqlite]
    subprocess.run(command, input=script, cwd=folder, text=True, check=True, timeout=30)
    token = shell(token_command.replace("register", "login"), folder).strip()
    assert jwt.decode(token, options={"verify_signature": False})["role"] == "admin"


def test_the_documented_check_accepts_a_real_token(workplace: tuple[Path, str]) -> None:
    folder, url = workplace
    command = f".venv/bin/python -m devtools.passkey register --url {url} --email ann@example.com"
    token = shell(command, folder).strip()
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block is not None
    from core.settings.checks import DEVELOPMENT_SECRET

    names: dict[str, object] = {"JWT_SECRET": DEVELOPMENT_SECRET}
    exec(block[1].replace("http://localhost:8000", url), names)  # noqa: S102 (our own README)
    user_of = names["user_of"]
    assert callable(user_of)
    assert len(user_of(token)) == 36
