"""The rules that the Dockerfile keeps; hadolint knows many more."""

from __future__ import annotations

import re

import pytest

from core.settings import Settings
from tests.deploy import dockerfile
from tests.deploy.dockerfile import FINAL, INSTRUCTIONS, STAGES, all_of, the
from tests.deploy.workshop import ROOT, run, tool

UID = "10001"
INSTALLERS = ("pip install", "apt-get", "apt ", "apk ", "curl", "wget", "gcc", "git ")
HARDENED_FLAGS = {"--no-proxy-headers", "--no-server-header", "--no-access-log"}


def option(name: str) -> str:
    """The value of an option of CMD."""
    words = the("CMD").words
    return words[words.index(name) + 1]


def test_hadolint_has_nothing_to_say() -> None:
    done = run(tool("hadolint"), "--no-color", ROOT / "Dockerfile")
    assert (done.returncode, done.stdout) == (0, "")


def test_the_base_is_named_once_with_its_version() -> None:
    names = [found.words[0] for found in all_of("FROM")]
    assert re.fullmatch(r"python:3\.\d+-slim-\w+(@sha256:[0-9a-f]{64})?", names[0])
    assert set(names[1:]) == {"base"}


def test_what_runs_was_built_in_another_stage() -> None:
    copied = [found for found in all_of("COPY", FINAL) if "from" in found.flags]
    assert [(found.flags["from"], found.words) for found in copied] == [
        ("build", ["/opt/venv", "/opt/venv"])
    ]


def test_the_final_stage_installs_nothing_and_drops_pip() -> None:
    commands = [found.text for stage in (STAGES[0], FINAL) for found in all_of("RUN", stage)]
    assert [word for word in INSTALLERS for text in commands if word in text] == []
    assert any("pip uninstall" in text for text in commands)


def test_packages_are_exact_and_never_compiled() -> None:
    (install,) = (found.text for found in all_of("RUN", STAGES[1]))
    assert "--only-binary :all:" in install
    assert "--no-cache-dir" in install


def test_no_cache_of_a_package_manager_stays_in_a_layer() -> None:
    for found in all_of("RUN"):
        assert "apt-get" not in found.text or "rm -rf /var/lib/apt/lists" in found.text


def test_nothing_is_added_from_elsewhere() -> None:
    assert all_of("ADD") == []


def test_it_runs_as_a_fixed_unprivileged_user() -> None:
    users = [found.text for found in all_of("USER")]
    assert users == [f"{UID}:{UID}"]
    keywords = [found.keyword for found in FINAL]
    assert {"RUN", "COPY"} & set(keywords[keywords.index("USER") :]) == set()


def test_the_code_belongs_to_root() -> None:
    assert not any("chown" in found.flags or "chown" in found.text for found in FINAL)


def test_the_working_folder_is_the_only_volume() -> None:
    assert the("WORKDIR").text == "/data"
    assert the("VOLUME").words == ["/data"]


@pytest.mark.parametrize("keyword", ["CMD", "VOLUME"])
def test_it_stands_in_exec_form(keyword: str) -> None:
    assert the(keyword).is_exec_form


def test_there_is_no_entrypoint_between_signals_and_the_service() -> None:
    assert all_of("ENTRYPOINT") == []
    assert the("STOPSIGNAL").text == "SIGTERM"


def test_the_command_believes_no_proxy_and_says_little() -> None:
    assert set(the("CMD").words) >= HARDENED_FLAGS


def test_requests_have_time_to_end() -> None:
    assert 0 < int(option("--timeout-graceful-shutdown")) < 30


def test_the_health_check_is_in_exec_form_and_asks_the_port_that_is_served() -> None:
    assert dockerfile.health_command()[:2] == ["python", "-I"]
    assert option("--port") == the("EXPOSE").text == "8000"
    assert "'127.0.0.1', 8000" in dockerfile.health_command()[-1]


def test_the_health_check_is_given_less_time_than_its_interval() -> None:
    seconds = {name: int(value.rstrip("s")) for name, value in the("HEALTHCHECK").flags.items()}
    assert seconds["timeout"] < seconds["interval"]


def test_python_writes_its_output_at_once_and_no_bytecode() -> None:
    expected = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONSAFEPATH": "1"}
    assert expected.items() <= dockerfile.environment().items()


def test_no_setting_is_baked_in() -> None:
    names = {name.upper() for name in Settings.model_fields}
    assert not names & dockerfile.environment().keys()
    assert all_of("ARG") == []


def test_every_source_of_a_copy_is_there() -> None:
    sources = [
        word
        for found in INSTRUCTIONS
        if found.keyword == "COPY" and "from" not in found.flags
        for word in found.words[:-1]
    ]
    assert sources
    assert [word for word in sources if not (ROOT / word).exists()] == []
