"""The command line of the software passkey: what it refuses, and the real ceremonies it runs."""

import contextlib
import http.server
import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devtools.authenticator import SoftAuthenticator
from devtools.ceremonies import Ceremonies, NotLocal, ServiceRefused, local_addresses
from devtools.options import creation_options, request_options
from devtools.passkey import main
from devtools.passkey_store import PasskeyStore, StoreError

ROOT = Path(__file__).resolve().parents[2]
Capture = pytest.CaptureFixture[str]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the real service, with a database of its own."""
    folder, url = tmp_path_factory.mktemp("service"), f"http://localhost:{free_port()}"
    port = url.rpartition(":")[2]
    command = [sys.executable, "-m", "uvicorn", "main:app", "--app-dir", str(ROOT), "--port", port]
    settings = {
        "RP_ID": "localhost",
        "ORIGIN": url,
        "DATABASE_URL": f"sqlite:///{folder}/app.db",
        "LOG_FILE": f"{folder}/app.log",
    }
    output = folder / "output"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **settings}, stdout=sink, stderr=sink
        )
        try:
            wait_for_answer(int(port), process, output)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_for_answer(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    pytest.fail(f"the service did not start:\n{output.read_text('utf-8')}")


@contextlib.contextmanager
def server_that_answers(body: bytes) -> Iterator[str]:
    """Some other server on this machine: it answers 200 with `body` to everything."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name it has)
            """Nothing goes to standard error."""

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class Cli:
    """The command with a service and a store; remembers what the last run printed."""

    def __init__(self, url: str, store: Path, capture: Capture) -> None:
        self._common = ["--url", url, "--store", str(store)]
        self._capture = capture
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        code = main([*arguments, *self._common])
        self.out, self.err = self._capture.readouterr()
        return code


@pytest.fixture
def cli(service: str, tmp_path: Path, capsys: Capture) -> Cli:
    return Cli(service, tmp_path / "passkeys.json", capsys)


def test_registering_prints_the_token_alone(cli: Cli) -> None:
    assert cli("register", "--email", "alone@example.com") == 0
    assert cli.out.count(".") == 2
    assert cli.out == cli.out.strip() + "\n"
    assert "registered alone@example.com" in cli.err


def test_logging_in_again_works_from_the_file_each_time(cli: Cli) -> None:
    cli("register", "--email", "again@example.com")
    for _ in range(3):
        assert cli("login", "--email", "AGAIN@example.com") == 0


def test_a_shell_can_capture_the_token(cli: Cli, service: str, tmp_path: Path) -> None:
    cli("register", "--email", "shell@example.com")
    command = [sys.executable, "-m", "devtools.passkey", "login", "--email", "shell@example.com"]
    command += ["--url", service, "--store", str(tmp_path / "passkeys.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(done.stdout.split()) == 1
    assert "logged in as shell@example.com" in done.stderr


def test_json_prints_the_whole_answer(cli: Cli) -> None:
    assert cli("register", "--email", "json@example.com", "--json") == 0
    answer = json.loads(cli.out)
    assert answer["access_token"]
    assert answer["user"]["id"]


def test_whoami_prints_the_user_as_the_service_has_it(cli: Cli) -> None:
    cli("register", "--email", "who@example.com", "--first-name", "Wanda", "--job-title", "Owl")
    assert cli("whoami", "--email", "who@example.com") == 0
    user = json.loads(cli.out)
    assert (user["first_name"], user["job_title"]) == ("Wanda", "Owl")
    assert user["date_of_birth"] == "1990-01-15T00:00:00Z"


def test_a_usernameless_login_finds_the_account(cli: Cli) -> None:
    cli("register", "--email", "first@example.com")
    cli("register", "--email", "second@example.com")
    assert cli("login", "--usernameless", "--email", "first@example.com", "--json") == 0
    assert json.loads(cli.out)["user"]["email"] == "first@example.com"
    assert cli("login", "--usernameless") == 0


def test_the_loopback_address_will_do_for_the_url(cli: Cli, service: str, tmp_path: Path) -> None:
    cli("register", "--email", "loopback@example.com")
    by_address = service.replace("localhost", "127.0.0.1")
    login = ["login", "--email", "loopback@example.com"]
    store = str(tmp_path / "passkeys.json")
    assert main([*login, "--url", by_address, "--store", store]) == 0


def test_an_email_that_is_taken_is_refused_in_the_services_words(cli: Cli) -> None:
    cli("register", "--email", "taken@example.com")
    assert cli("register", "--email", "taken@example.com") == 1
    assert cli.out == ""
    assert "cannot be registered (409 from /register/begin)" in cli.err


def test_a_wrong_field_is_named(cli: Cli) -> None:
    assert cli("register", "--email", "b@example.com", "--date-of-birth", "1990-02-30") == 1
    assert "/date_of_birth" in cli.err


def test_logging_in_without_a_passkey_says_so(cli: Cli) -> None:
    assert cli("login", "--email", "nobody@example.com") == 1
    assert cli("login", "--email", "nobody@example.com", "--usernameless") == 1
    assert "no passkey for nobody@example.com" in cli.err


def test_a_passkey_that_the_service_refuses_is_forgotten(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SoftAuthenticator, "create", without_its_client_data(SoftAuthenticator))
    assert cli("register", "--email", "refused@example.com") == 1
    assert "(400 from /register/complete)" in cli.err
    assert PasskeyStore(tmp_path / "passkeys.json").passkeys() == []


def test_a_passkey_whose_registration_broke_off_is_kept(tmp_path: Path) -> None:
    store = PasskeyStore(tmp_path / "passkeys.json")
    body = json.dumps({"publicKey": creation_options()}).encode()
    with (
        server_that_answers(body) as url,
        Ceremonies(url, store) as ceremonies,
        pytest.raises(ServiceRefused),
    ):
        ceremonies.register({"email": "jane@example.com"})
    assert [held.user_name for held in store.passkeys()] == ["jane@example.com"]


def without_its_client_data(authenticator: type[SoftAuthenticator]) -> Any:
    honest = authenticator.create

    def create(self: SoftAuthenticator, options: dict[str, Any]) -> dict[str, Any]:
        credential = honest(self, options)
        credential["response"]["clientDataJSON"] = "e30"
        return credential

    return create


def test_a_service_that_does_not_run_has_its_own_exit_code(tmp_path: Path, capsys: Capture) -> None:
    cli = Cli(f"http://localhost:{free_port()}", tmp_path / "passkeys.json", capsys)
    assert cli("login", "--email", "jane@example.com") == 3
    assert "is the service running?" in cli.err


@pytest.mark.parametrize("command", ["register", "login"])
def test_another_relying_party_is_refused(command: str, tmp_path: Path, capsys: Capture) -> None:
    rp = {"id": "example.com", "name": "Example"}
    options = creation_options(rp=rp) | request_options(rpId="example.com")
    with server_that_answers(json.dumps({"publicKey": options}).encode()) as url:
        cli = Cli(url, tmp_path / "passkeys.json", capsys)
        assert cli(command, "--email", "jane@example.com") == 2
    assert "relying party 'example.com'" in cli.err
    assert not (tmp_path / "passkeys.json").exists()


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}"])
def test_another_service_on_the_port_is_recognised(
    body: bytes, tmp_path: Path, capsys: Capture
) -> None:
    with server_that_answers(body) as url:
        cli = Cli(url, tmp_path / "passkeys.json", capsys)
        assert cli("login", "--email", "jane@example.com") == 1
    assert "does not answer as this service does" in cli.err


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "https://localhost.example.com",
        "http://localhost@example.com",
        "http://user@localhost:8000",
        "http://localhost:8000/somewhere",
        "http://0.0.0.0:8000",
        "http://127.0.0.1.example.com",
        "ftp://localhost",
        "localhost:8000",
        "http://localhost:port",
        "",
    ],
)
def test_a_url_that_is_not_this_machines_is_refused(url: str, capsys: Capture) -> None:
    assert main(["login", "--email", "jane@example.com", "--url", url]) == 2
    assert repr(url) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "base", "origin"),
    [
        ("http://localhost:8000/", "http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000", "http://localhost:9000"),
        ("https://[::1]:8443", "https://[::1]:8443", "https://localhost:8443"),
        ("http://LOCALHOST:80", "http://localhost", "http://localhost"),
    ],
)
def test_the_origin_is_localhost_at_the_port_of_the_url(url: str, base: str, origin: str) -> None:
    assert local_addresses(url) == (base, origin)


def test_a_url_with_a_query_is_refused() -> None:
    with pytest.raises(NotLocal, match="host and port only"):
        local_addresses("http://localhost:8000?a=b")


@pytest.mark.parametrize(
    "arguments",
    [[], ["register"], ["login"], ["whoami"], ["forget"], ["register", "--usernameless"]],
)
def test_wrong_arguments_are_refused(arguments: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as exited:
        main(arguments)
    assert exited.value.code == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("command", [[], ["register"], ["login"], ["whoami"]])
def test_help_is_given(command: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as exited:
        main([*command, "--help"])
    assert exited.value.code == 0
    assert "usage: python -m devtools.passkey" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"passkeys": [{}]}', '{"passkeys": 7}'])
def test_a_file_that_is_no_store_is_refused_and_left_alone(
    text: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "passkeys.json"
    path.write_text(text, "utf-8")
    assert main(["login", "--email", "jane@example.com", "--store", str(path)]) == 2
    assert "is not a passkey store" in capsys.readouterr().err
    assert path.read_text("utf-8") == text


def test_the_store_is_for_its_owner_alone_and_leaves_nothing_beside(tmp_path: Path) -> None:
    authenticator = SoftAuthenticator()
    authenticator.create(creation_options())
    passkey = authenticator.passkeys[0]
    path = tmp_path / "passkeys.json"
    store = PasskeyStore(path)
    for count in (1, 2):
        passkey.sign_count = count
        path.chmod(0o644) if path.exists() else None
        store.keep(passkey)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [held.sign_count for held in store.passkeys()] == [count]
    store.forget(passkey)
    assert (store.passkeys(), list(tmp_path.iterdir())) == ([], [path])


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    authenticator = SoftAuthenticator()
    authenticator.create(creation_options())
    with pytest.raises(StoreError, match="cannot write"):
        PasskeyStore(tmp_path / "missing" / "passkeys.json").keep(authenticator.passkeys[0])
