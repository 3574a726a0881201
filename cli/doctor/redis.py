"""Checks of Redis or Valkey: does it keep challenges and counters until they are used?"""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from cli.doctor.findings import Finding, Installation, clock_skew, fail, ok, warn
from core.settings.sources import redact_url
from stores.rate_counters.redis import PREFIX

SOCKET_TIMEOUT_SECONDS = 3
# GETDEL reads and deletes a challenge in one step: https://redis.io/commands/getdel
OLDEST_REDIS = (6, 2)


def redis(installation: Installation) -> Iterator[Finding]:
    """All checks of the server that REDIS_URL names; none if the setting is empty."""
    url = installation.settings.redis_url
    if not url.startswith(("redis://", "rediss://")):
        return
    try:
        with Redis.from_url(
            url,
            socket_timeout=SOCKET_TIMEOUT_SECONDS,
            socket_connect_timeout=SOCKET_TIMEOUT_SECONDS,
            decode_responses=True,
        ) as server:
            yield from _inspect(server, url)
    except (RedisError, OSError, ValueError) as error:
        why = type(error).__name__
        yield fail(
            f"{redact_url(url)} gives no answer ({why}): is it up, are the host, the user and the "
            "password right? Without it every login is refused"
        )


def _inspect(server: Redis, url: str) -> Iterator[Finding]:
    server.ping()
    yield ok(f"{redact_url(url)} answers")
    yield from _commands(server)
    yield from _password(url)
    try:
        info: dict[str, Any] = dict(server.info())  # type: ignore[arg-type]
        before = time.time()
        seconds, micros = server.time()  # type: ignore[misc]
    except ResponseError:
        yield warn(
            "its user may not run INFO and TIME: version, memory, persistence and clock were not "
            "checked"
        )
        return
    # The server read its clock about halfway between the two readings here.
    yield clock_skew(seconds + micros / 1e6 - (before + time.time()) / 2, "Redis")
    yield from judge(info)


def _commands(server: Redis) -> Iterator[Finding]:
    """Send the commands that the service sends, on a key that no one else uses and that expires."""
    key = f"{PREFIX}doctor-{secrets.token_hex(8)}"
    try:
        server.set(key, "x", nx=True, ex=5)
        taken = server.getdel(key)
        server.eval("return 1", 0)
    except ResponseError as error:
        word = str(error).split(" ", 1)[0]
        yield fail(
            f"it refuses what the service needs ({word}): SET, GETDEL and EVAL must be allowed, "
            "and Redis be 6.2 or newer"
        )
    else:
        yield (
            ok("a challenge is stored, and can be used once")
            if taken == "x"
            else fail("a key was gone right after it was set: is Redis full, or a replica?")
        )


def _password(url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    try:
        remote = not ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        remote = parts.hostname != "localhost"
    if remote and not (parts.password or "password=" in parts.query):
        yield warn("no password is set: whoever reaches Redis can change challenges and counters")


def judge(info: Mapping[str, Any]) -> Iterator[Finding]:
    """Judge the answer of INFO: version, role, what happens when memory is full, persistence."""
    yield _version(info)
    if info.get("role", "master") != "master":
        yield fail("it is a replica, which accepts no writes: name the primary")
    yield from _memory(info)
    yield from _persistence(info)


def _version(info: Mapping[str, Any]) -> Finding:
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = str(info.get("valkey_version") or info.get("redis_version", "0"))
    parts = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if parts < OLDEST_REDIS:
        return fail(f"{name} {version} has no GETDEL: 6.2 is the oldest that works")
    return ok(f"{name} {version}")


def _memory(info: Mapping[str, Any]) -> Iterator[Finding]:
    most, policy = int(info.get("maxmemory", 0)), str(info.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction" and most:
        yield fail(
            f"maxmemory-policy {policy} deletes challenges and rate limits when memory is full: "
            "set noeviction"
        )
    elif policy != "noeviction":
        yield warn(f"maxmemory-policy {policy} would evict once maxmemory is set: set noeviction")
    elif not most:
        yield warn("maxmemory is not set: a flood can fill the machine; deploy/redis has a value")
    else:
        yield ok(f"maxmemory is {most // 2**20} MiB, and nothing is evicted")
    if int(info.get("evicted_keys", 0)):
        yield warn(f"{info['evicted_keys']} keys were evicted since it started")


def _persistence(info: Mapping[str, Any]) -> Iterator[Finding]:
    if info.get("rdb_last_bgsave_status", "ok") != "ok":
        yield fail(
            "its last snapshot failed, after which it refuses writes by default: free its disk, "
            'or set `save ""`'
        )
    if str(info.get("aof_last_write_status", "ok")) != "ok":
        yield fail("its append-only file cannot be written: free its disk, or turn it off")
    if int(info.get("aof_enabled", 0)):
        yield ok("it keeps an append-only file, which nothing here needs")
