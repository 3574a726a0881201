"""redis.conf and the ACL, under a real Redis: the service may use it, and others may not."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.deploy.composed import services
from tests.deploy.workshop import DEPLOY, contents, needs, run
from tests.support.process import free_port

pytestmark = needs("redis-server")

AskRedis = Callable[..., str]


@pytest.fixture(scope="module")
def ask_redis(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AskRedis]:
    """A Redis under the very redis.conf and ACL; the function gives what redis-cli prints."""
    folder, port = tmp_path_factory.mktemp("redis"), free_port()
    settings = (DEPLOY / "redis" / "redis.conf").read_text()
    here = folder / "redis.conf"
    here.write_text(settings.replace("/run/secrets/", f"{secrets}/"))
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    server = subprocess.Popen(["redis-server", here, *options], stdout=subprocess.DEVNULL)

    def ask(*words: str, password: bool = True) -> str:
        user = ["--user", "auth", "--no-auth-warning", "-a", contents(secrets)["redis_password"]]
        return run("redis-cli", "-p", str(port), *(user if password else []), *words).stdout.strip()

    try:
        deadline = time.monotonic() + 20
        while ask("ping") != "PONG" and time.monotonic() < deadline:
            time.sleep(0.05)
        yield ask
    finally:
        server.terminate()
        server.wait(20)


def test_the_service_may_use_redis(ask_redis: AskRedis) -> None:
    assert ask_redis("set", "challenge", "x", "ex", "300") == "OK"
    assert ask_redis("eval", "return redis.call('incr', KEYS[1])", "1", "counter") == "1"
    assert "used_memory:" in ask_redis("info", "memory")


@pytest.mark.parametrize(
    "words", ["flushall", "keys *", "config get *", "acl list", "shutdown", "client list"]
)
def test_the_service_may_not_rule_redis(ask_redis: AskRedis, words: str) -> None:
    assert ask_redis(*words.split()).startswith("NOPERM")


def test_without_the_password_one_may_ask_whether_redis_lives(ask_redis: AskRedis) -> None:
    command = services()["redis"]["healthcheck"]["test"]
    assert command[:2] == ["CMD", "redis-cli"]
    assert ask_redis(*command[2:], password=False) == "PONG"


@pytest.mark.parametrize("words", ["get challenge", "info", "scan 0", "publish a b"])
def test_without_the_password_one_may_do_nothing_else(ask_redis: AskRedis, words: str) -> None:
    assert ask_redis(*words.split(), password=False).startswith("NOPERM")


def test_nothing_is_evicted_and_nothing_is_written_to_disk(ask_redis: AskRedis) -> None:
    info = ask_redis("info")
    assert "maxmemory_policy:noeviction" in info
    assert "aof_enabled:0" in info
    limit = services()["redis"]["deploy"]["resources"]["limits"]["memory"]
    (most,) = re.findall(r"maxmemory:(\d+)", info)
    assert int(most) < int(limit)
