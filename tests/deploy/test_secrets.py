"""make-secrets.sh makes what compose.yaml mounts, once."""

from __future__ import annotations

import re
from pathlib import Path

from tests.deploy.composed import composed
from tests.deploy.workshop import MAKE_SECRETS as SCRIPT
from tests.deploy.workshop import contents, output_of, run


def test_it_makes_every_secret_that_is_mounted(secrets: Path) -> None:
    made = contents(secrets).keys()
    # Kept for whoever reads the URL or the ACL again; nothing mounts it.
    assert made == {*composed()["secrets"], "redis_password"}


def test_no_two_secrets_are_alike_and_none_is_guessable(secrets: Path, tmp_path: Path) -> None:
    output_of(SCRIPT, tmp_path)
    found = [
        text
        for folder in (secrets, tmp_path)
        for name, text in contents(folder).items()
        if re.fullmatch(r"\w+_(secret|password)", name)
    ]
    assert all(re.fullmatch("[0-9a-f]{64}", text) for text in found)
    assert len(set(found)) == len(found) == 12


def test_a_second_run_changes_nothing(secrets: Path) -> None:
    before = contents(secrets)
    assert "made" not in output_of(SCRIPT, secrets)
    assert contents(secrets) == before


def test_one_secret_can_be_made_anew(tmp_path: Path) -> None:
    output_of(SCRIPT, tmp_path)
    before = contents(tmp_path)
    (tmp_path / "jwt_secret").unlink()
    assert "made  jwt_secret\n" in output_of(SCRIPT, tmp_path)
    changed = {name for name, text in contents(tmp_path).items() if text != before[name]}
    assert changed == {"jwt_secret"}


def test_the_folder_is_closed_and_what_containers_read_is_readable(secrets: Path) -> None:
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in secrets.iterdir()} == {0o444}


def test_it_fails_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert run(SCRIPT, tmp_path / "file" / "secrets").returncode != 0
