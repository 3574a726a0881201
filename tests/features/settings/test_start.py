"""What whoever starts the service sees: a few lines when it runs, one sentence when it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.process import banner
from core.settings import Settings
from core.settings.checks import DEVELOPMENT_SECRET
from core.settings.sources import redact_url
from tests.support.process import ROOT, free_port, start_server, wait_until_up

SECRET = "0123456789abcdef0123456789abcdef"
ELSEWHERE = {"RP_ID": "example.com", "ORIGIN": "https://login.example.com"}
TIMEOUT_SECONDS = 60
# What must not start, and a word of the sentence that says why.
REFUSED = {
    "a short secret": ({"JWT_SECRET": "hunter2-hunter2"}, "JWT_SECRET has 15 bytes"),
    "the default secret elsewhere": (ELSEWHERE, "development default"),
}


def bare(**settings: str) -> dict[str, str]:
    """None of the settings that the tests themselves were started with."""
    return {"PATH": os.environ["PATH"], **settings}


def start(folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "main:app", "--app-dir", str(ROOT), "--port", "0"],
        cwd=folder,
        env=bare(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, str, Path]]:
    """What each refused start came to; started together, for a start takes seconds."""
    started = {}
    for name, (environment, _) in REFUSED.items():
        folder = tmp_path_factory.mktemp("start")
        started[name] = (start(folder, environment), folder)
    outcomes = {}
    for name, (process, folder) in started.items():
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        outcomes[name] = (process.returncode, out, err, folder)
    return outcomes


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_start_is_one_sentence(
    refusals: dict[str, tuple[int, str, str, Path]], name: str
) -> None:
    """C5: `python -m uvicorn main:app` ends, not with 0, and says why, once, without a secret."""
    code, out, err, folder = refusals[name]
    assert code == 1
    assert out == ""
    (sentence,) = err.splitlines()
    assert sentence.startswith("The service does not start. ")
    assert REFUSED[name][1] in sentence
    assert "Traceback" not in err
    if "JWT_SECRET" in REFUSED[name][0]:
        assert REFUSED[name][0]["JWT_SECRET"] not in err
    assert list(folder.iterdir()) == []


def test_the_defaults_start_and_say_where_everything_is(tmp_path: Path) -> None:
    """A fresh clone runs: database and log in the working folder, the banner on the console."""
    port = free_port()
    server = start_server(tmp_path, port)
    try:
        wait_until_up(server, f"http://localhost:{port}")
    finally:
        server.terminate()
        server.wait(TIMEOUT_SECONDS)
    said = (tmp_path / "server.out").read_text("utf-8")
    assert f"http://localhost:{port}/docs" in said
    assert said.count("DEVELOPMENT SECRET") == 1
    assert "Traceback" not in said
    assert (tmp_path / "app.db").is_file()


def test_the_banner_names_what_an_operator_looks_for() -> None:
    """Address, documents, RP ID, origins, database, log."""
    settings = Settings.from_environment(
        {
            **ELSEWHERE,
            "JWT_SECRET": SECRET,
            "RP_NAME": "Somewhere",
            "ORIGIN": "https://login.example.com,https://example.com",
        }
    )
    text = banner(settings)
    for word in (
        "Somewhere: passkey service",
        "https://login.example.com/docs",
        "RP ID     example.com",
        "https://login.example.com, https://example.com",
        "sqlite:///./app.db",
        "app.log",
    ):
        assert word in text


def test_the_banner_shows_no_password() -> None:
    """It goes to a console that many can read, and into what collects it."""
    text = banner(
        Settings(database_url="postgresql://auth:hunter2@db.internal:5432/auth?x=hunter2")
    )
    assert "postgresql://db.internal:5432/auth\n" in text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("sqlite:///./app.db", "sqlite:///./app.db"),
        ("sqlite:////var/lib/app.db", "sqlite:////var/lib/app.db"),
        ("redis://127.0.0.1", "redis://127.0.0.1"),
        ("rediss://:hunter2@[::1]:6379/0", "rediss://[::1]:6379/0"),
        ("postgresql://a:hunter2@one:5432,two:5432/auth", "postgresql://one:5432,two:5432/auth"),
        ("postgresql://db/auth?password=hunter2", "postgresql://db/auth"),
        # Passwords that nobody has encoded.
        ("postgresql://auth:hunter2/x@db/auth", "postgresql://…"),
        ("postgresql://auth:hunter2?x@db/auth", "postgresql://…"),
        ("postgresql://auth:hunter2#x@db/auth", "postgresql://…"),
        ("postgresql://auth:x@hunter2@db/auth", "postgresql://…"),
        ("postgresql://db/auth?password=hunter2@x", "postgresql://…"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, text: str) -> None:
    assert redact_url(url) == text


def test_the_banner_is_loud_about_the_development_secret() -> None:
    """C5: two lines nobody overlooks, and how to get rid of them."""
    text = banner(Settings())
    loud = [line for line in text.splitlines() if line.startswith("  !!")]
    assert "DEVELOPMENT SECRET" in loud[0]
    assert "forge" in loud[0]
    assert "JWT_SECRET" in loud[1]
    assert DEVELOPMENT_SECRET not in text


def test_the_banner_is_quiet_about_a_secret_of_ones_own() -> None:
    """C5: no alarm without a reason, and no secret ever."""
    text = banner(Settings.from_environment({"JWT_SECRET": SECRET, "DECOY_SECRET": SECRET}))
    assert "!!" not in text
    assert SECRET not in text
