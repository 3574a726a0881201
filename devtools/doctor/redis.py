"""Redis or Valkey: does it keep challenges and counters until they are taken?"""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from core.config import shown
from devtools.doctor.findings import Finding, Patient, fail, ok, skew, warn
from stores.challenges.redis import PREFIX

PATIENCE_SECONDS = 3
# GETDEL, by which a challenge is taken once: https://redis.io/commands/getdel
OLDEST = (6, 2)


def redis(patient: Patient) -> Iterator[Finding]:
    url = patient.settings.redis_url
    if not url.startswith(("redis://", "rediss://")):
        return
    try:
        with Redis.from_url(
            url,
            socket_timeout=PATIENCE_SECONDS,
            socket_connect_timeout=PATIENCE_SECONDS,
            decode_responses=True,
        ) as server:
            yield from _look(server, url)
    except (RedisError, OSError, ValueError) as error:
        why = type(error).__name__
        yield fail(
            f"{shown(url)} gives no answer ({why}): is it up, are the host, the user and the "
            "password right? Without it every login is refused"
        )


def _look(server: Redis, url: str) -> Iterator[Finding]:
    before = time.time()
    server.ping()
    yield ok(f"{shown(url)} answers")
    yield from _commands(server)
    yield from _way(url)
    try:
        told: dict[str, Any] = dict(server.info())  # type: ignore[arg-type]
        before = time.time()
        seconds, micros = server.time()  # type: ignore[misc]
    except ResponseError:
        yield warn("its user may not run INFO and TIME: what follows from them was not looked at")
        return
    yield skew(seconds + micros / 1e6 - (before + time.time()) / 2, "Redis")
    yield from judge(told)


def _commands(server: Redis) -> Iterator[Finding]:
    """What the service itself will send: on a key of our own, gone at once."""
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
            ok("a challenge is kept and taken once")
            if taken == "x"
            else fail("a key that was just set was gone: is it full, or a replica?")
        )


def _way(url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    try:
        away = not ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        away = parts.hostname != "localhost"
    if away and not (parts.password or "password=" in parts.query):
        yield warn("no password is used: whoever reaches Redis can take challenges and counters")


def judge(told: Mapping[str, Any]) -> Iterator[Finding]:
    """What INFO tells: version, role, what happens when memory is full, and persistence."""
    yield _version(told)
    if told.get("role", "master") != "master":
        yield fail("it is a replica, which takes no writes: name the primary")
    yield from _memory(told)
    yield from _persistence(told)


def _version(told: Mapping[str, Any]) -> Finding:
    name = "Valkey" if "valkey_version" in told else "Redis"
    version = str(told.get("valkey_version") or told.get("redis_version", "0"))
    parts = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if parts < OLDEST:
        return fail(f"{name} {version} has no GETDEL: 6.2 is the oldest that will do")
    return ok(f"{name} {version}")


def _memory(told: Mapping[str, Any]) -> Iterator[Finding]:
    most, policy = int(told.get("maxmemory", 0)), str(told.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction" and most:
        yield fail(
            f"maxmemory-policy {policy} throws challenges and rate limits away when memory is "
            "full: set noeviction"
        )
    elif policy != "noeviction":
        yield warn(f"maxmemory-policy {policy} would evict once maxmemory is set: set noeviction")
    elif not most:
        yield warn("maxmemory is not set: a flood can fill the machine; deploy/redis has a value")
    else:
        yield ok(f"{most // 2**20} MiB, and nothing is evicted")
    if int(told.get("evicted_keys", 0)):
        yield warn(f"{told['evicted_keys']} keys were evicted since it started")


def _persistence(told: Mapping[str, Any]) -> Iterator[Finding]:
    if told.get("rdb_last_bgsave_status", "ok") != "ok":
        yield fail(
            "its last snapshot failed, after which it refuses writes by default: free its disk, "
            'or set `save ""`'
        )
    if str(told.get("aof_last_write_status", "ok")) != "ok":
        yield fail("its append-only file cannot be written: free its disk, or turn it off")
    if int(told.get("aof_enabled", 0)):
        yield ok("it keeps an append-only file, which nothing here needs")
