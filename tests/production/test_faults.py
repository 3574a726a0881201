"""While PostgreSQL or Redis is away, requests get 503 and nothing is let through."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from devtools.authenticator import SoftAuthenticator
from tests.support import production
from tests.support.service import JANE, Service

NOBODY = "redis://127.0.0.1:1/0"


def test_without_redis_ceremonies_are_refused_and_profiles_are_read(
    tmp_path: Path, database: str, device: SoftAuthenticator
) -> None:
    """E4: ceremonies are refused; requests that need no Redis are served."""
    with Service(tmp_path, database_url=database, redis_url=production.REDIS) as service:
        user = service.register(device)
        token = service.login(device)
    with Service(tmp_path, database_url=database, redis_url=NOBODY) as service:
        for path, body in (("/register/begin", JANE), ("/login/begin", {})):
            answer = service.post(path, body)
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert int(answer.headers["Retry-After"]) > 0
        assert service.get(f"/users/{user['id']}", token).status_code == 200
        assert service.get(f"/users/{user['id']}", "no token").status_code == 401


def test_a_challenge_that_redis_has_lost_is_a_refused_login(
    service: Service, device: SoftAuthenticator
) -> None:
    """E4: a login whose challenge was flushed is refused; the next login works."""
    service.register(device)
    assertion = device.get(service.begin_login())
    production.flush_redis()
    assert service.complete_login(JANE["email"], assertion).status_code == 401
    assert service.try_login(device).status_code == 200


def test_a_server_that_cuts_every_connection_is_found_again(
    service: Service, device: SoftAuthenticator
) -> None:
    """E4: as a restart of PostgreSQL cuts its clients' connections."""
    service.register(device)
    database = service.settings.database_url.rpartition("/")[2]
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ?"
    production.rows("postgres", cut, (database,))
    begin = [lambda client: client.post("/login/begin", json={})] * 8
    answers = []
    for _ in range(10):
        # While requests are under way, so that some are cut off between two messages.
        with ThreadPoolExecutor(1) as knife:
            cutting = knife.submit(production.rows, "postgres", cut, (database,))
            answers += [answer.status_code for answer in service.together(begin)]
            cutting.result()
    assert set(answers) <= {200, 503}
    assert service.post("/login/begin", {}).status_code in (200, 503)
    assert service.post("/login/begin", {}).status_code == 200


def test_a_database_that_was_not_migrated_is_refused_with_the_command(tmp_path: Path) -> None:
    """Workers do not migrate PostgreSQL: each refuses to start and names the command."""
    production.execute("postgres", "CREATE DATABASE passkeys_unmigrated")
    url = f"{production.SERVER}/passkeys_unmigrated"
    try:
        with (
            pytest.raises(ConfigurationError, match="alembic upgrade head"),
            Service(tmp_path, database_url=url, redis_url=production.REDIS),
        ):
            pass
    finally:
        production.drop_database("passkeys_unmigrated")


def test_the_schema_goes_up_and_down() -> None:
    production.execute("postgres", "CREATE DATABASE passkeys_up_and_down")
    try:
        for command in (("upgrade", "head"), ("downgrade", "base"), ("upgrade", "head")):
            production.alembic("passkeys_up_and_down", *command)
        found = production.rows("passkeys_up_and_down", "SELECT count(*) FROM audit_logs", ())
        assert found == [{"count": 0}]
    finally:
        production.drop_database("passkeys_up_and_down")


def test_a_url_may_demand_tls_or_do_without(tmp_path: Path, database: str) -> None:
    """The schema check and the service read the URL in the same way."""
    plain = f"{database}?sslmode=disable"
    with Service(tmp_path, database_url=plain, redis_url=production.REDIS) as service:
        assert service.post("/login/begin", {}).status_code == 200
    strict = f"{database}?sslmode=verify-full"
    with (
        pytest.raises(Exception, match="root certificate file"),
        Service(tmp_path, database_url=strict, redis_url=production.REDIS),
    ):
        pass
