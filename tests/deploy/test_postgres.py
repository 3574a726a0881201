"""roles.sql, run on a real PostgreSQL: the service has rows, its owner has tables."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.composed import services
from tests.deploy.workshop import DEPLOY, contents, needs, run

SCRIPT = DEPLOY / "postgres" / "roles.sql"
HOST = os.environ.get("PGHOST", "127.0.0.1")

pytestmark = needs("psql")


class Postgres:
    """The machine's PostgreSQL, with the script's roles and database under names of its own."""

    def __init__(self) -> None:
        self.name = f"deploy_{os.getpid()}_{time.time_ns()}"

    def sql(self, statement: str, user: str = "postgres", database: str = "postgres") -> str:
        """What psql prints; `auth` stands for this test's name."""
        return self._psql(user, database, "--command", self.ours(statement))

    def owner(self, statement: str) -> str:
        return self.sql(statement, f"{self.name}_owner", self.name)

    def service(self, statement: str) -> str:
        return self.sql(statement, self.name, self.name)

    def run_script(self, file: Path) -> str:
        return self._psql("postgres", "postgres", "--file", str(file))

    def ours(self, text: str) -> str:
        return re.sub(r"\bauth(_owner)?\b", rf"{self.name}\1", text)

    def drop(self) -> None:
        for what in ("DATABASE auth", "ROLE auth", "ROLE auth_owner"):
            self.sql(f"DROP {what}")

    def _psql(self, user: str, database: str, *words: str) -> str:
        done = run(
            *("psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align"),
            *("--set=ON_ERROR_STOP=1", f"--host={HOST}", f"--username={user}"),
            *(f"--dbname={database}", *words),
        )
        return done.stdout.strip() + done.stderr.strip()


@pytest.fixture(scope="module")
def postgres(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    found = Postgres()
    file = tmp_path_factory.mktemp("postgres") / "roles.sql"
    script = SCRIPT.read_text(encoding="utf-8").replace("/run/secrets/", f"{secrets}/")
    file.write_text(found.ours(script))
    try:
        assert found.run_script(file) == ""
        # What a migration does.
        assert found.owner("CREATE TABLE users (id SERIAL PRIMARY KEY, email TEXT)") == ""
        yield found
    finally:
        found.drop()


def test_the_service_reads_and_writes_rows(postgres: Postgres) -> None:
    assert postgres.service("INSERT INTO users (email) VALUES ('jane@example.com')") == ""
    assert postgres.service("UPDATE users SET email = 'john@example.com'") == ""
    assert postgres.service("SELECT id, email FROM users") == "1|john@example.com"
    assert postgres.service("DELETE FROM users") == ""


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id INT)",
        "ALTER TABLE users ADD COLUMN x INT",
        "DROP TABLE users",
        "TRUNCATE users",
        "CREATE TEMPORARY TABLE mine (id INT)",
        "CREATE ROLE mine",
        "COPY users TO PROGRAM 'cat'",
        "SET ROLE auth_owner",
    ],
)
def test_the_service_cannot(postgres: Postgres, statement: str) -> None:
    assert re.search("permission denied|must be (owner|superuser)", postgres.service(statement))


def test_the_owner_of_the_tables_rules_nothing_else(postgres: Postgres) -> None:
    flags = "rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
    roles = f"SELECT bool_or({flags}) FROM pg_roles WHERE rolname IN ('auth', 'auth_owner')"
    assert postgres.sql(roles) == "f"


def test_the_passwords_are_those_of_the_secrets_and_kept_as_hashes(
    postgres: Postgres, secrets: Path
) -> None:
    kept = postgres.sql("SELECT rolpassword FROM pg_authid WHERE rolname IN ('auth', 'auth_owner')")
    assert [line.partition("$")[0] for line in kept.splitlines()] == ["SCRAM-SHA-256"] * 2
    made = contents(secrets)
    for url, password in (
        ("database_url", "database_password"),
        ("database_owner_url", "database_owner_password"),
    ):
        assert f":{made[password]}@postgres:5432/auth" in made[url]


def test_the_urls_name_the_roles_and_the_database_of_the_script(secrets: Path) -> None:
    script = SCRIPT.read_text(encoding="utf-8")
    for url in ("database_url", "database_owner_url"):
        text = contents(secrets)[url]
        role, database = re.findall(r"//(\w+):", text)[0], text.rpartition("/")[2]
        assert f"CREATE ROLE {role} LOGIN" in script
        assert f"CREATE DATABASE {database} " in script


def test_the_health_check_does_not_see_the_server_that_runs_the_script() -> None:
    # That one listens on its socket alone, and the database is not made yet.
    check = services()["postgres"]["healthcheck"]["test"]
    assert "--host=127.0.0.1" in check
    assert "--dbname=auth" in check
