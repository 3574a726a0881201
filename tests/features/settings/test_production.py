"""What production demands, and how many workers may share nothing."""

from __future__ import annotations

import pytest

from core.errors import ConfigurationError
from core.process import require_shared_state, worker_count
from core.settings import Settings
from core.settings.checks import DEVELOPMENT_SECRET
from tests.architecture.layers import LAYER_OF
from tests.architecture.tree import service_modules

LOCAL = "https://localhost"
SOUND = {
    "ENVIRONMENT": "production",
    "JWT_SECRET": "0123456789abcdef0123456789abcdef",
    "RP_ID": "example.com",
    "ORIGIN": "https://login.example.com",
    "TRUSTED_PROXIES": "10.0.0.0/8",
}
WEAK = {
    "the development secret": ({"JWT_SECRET": ""}, "JWT_SECRET"),
    "plain http": ({"ORIGIN": "http://localhost:8000", "RP_ID": "localhost"}, "https"),
    "the development secret as the previous one": (
        {"JWT_SECRET_PREVIOUS": DEVELOPMENT_SECRET, "RP_ID": "localhost", "ORIGIN": LOCAL},
        "JWT_SECRET_PREVIOUS",
    ),
    "everybody to trust": ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "TRUSTED_PROXIES"),
    "half of everybody to trust": ({"TRUSTED_PROXIES": "10.0.0.0/8,128.0.0.0/1"}, "128.0.0.0/1"),
    "everybody on IPv6 to trust": ({"TRUSTED_PROXIES": "::/0"}, "TRUSTED_PROXIES"),
    "nobody to trust": ({"TRUSTED_PROXIES": ""}, "TRUSTED_PROXIES"),
    "no rate limits": ({"DANGER_RATE_LIMITS_OFF": "true"}, "DANGER_RATE_LIMITS_OFF"),
}


def test_a_sound_production_starts_without_docs() -> None:
    assert not Settings.from_environment(SOUND).serves_docs
    assert Settings.from_environment({**SOUND, "SERVE_DOCS": "true"}).serves_docs


@pytest.mark.parametrize(("change", "named"), WEAK.values(), ids=WEAK)
def test_a_weak_production_does_not_start(change: dict[str, str], named: str) -> None:
    """C5: and the sentence names what to set."""
    with pytest.raises(ConfigurationError, match=named):
        Settings.from_environment({**SOUND, **change})


def test_all_that_is_weak_is_said_at_once() -> None:
    """C5: nobody should have to start it five times to learn five things."""
    weak = {
        "ENVIRONMENT": "production",
        "TRUSTED_PROXIES": "0.0.0.0/0",
        "DANGER_RATE_LIMITS_OFF": "true",
        "REDIS_URL": "nothing",
        "DECOY_SECRET": "short",
    }
    with pytest.raises(ConfigurationError) as refusal:
        Settings.from_environment(weak)
    for named in ("JWT_SECRET", "https", "0.0.0.0/0", "RATE_LIMITS", "REDIS_URL", "DECOY_SECRET"):
        assert named in str(refusal.value)


@pytest.mark.parametrize(
    ("environment", "arguments", "expected"),
    [
        ({}, [], 1),
        ({"WEB_CONCURRENCY": "3"}, [], 3),
        ({}, ["uvicorn", "main:app", "--workers", "4"], 4),
        ({"WEB_CONCURRENCY": "3"}, ["uvicorn", "main:app", "--workers=2"], 2),
        ({"WEB_CONCURRENCY": "many"}, [], 1),
        ({}, ["uvicorn", "--workers"], 1),
    ],
)
def test_the_number_of_workers_is_what_uvicorn_was_told(
    environment: dict[str, str], arguments: list[str], expected: int
) -> None:
    assert worker_count(environment, arguments) == expected


SHARED = {"redis_url": "redis://127.0.0.1", "database_url": "postgresql://127.0.0.1/auth"}


@pytest.mark.parametrize("missing", SHARED)
def test_several_workers_that_do_not_share_everything_do_not_start(missing: str) -> None:
    """A login begun at one would be refused at the other; SQLite has one writing process."""
    settings = Settings(**{**SHARED, missing: Settings.model_fields[missing].default})
    with pytest.raises(ConfigurationError, match=missing.upper()):
        require_shared_state(settings, 2)
    require_shared_state(settings, 1)
    require_shared_state(Settings(**SHARED), 2)


def test_nothing_that_serves_reads_settings_unchecked() -> None:
    """C5: what the doctor may look at, nobody may start on."""
    callers = [
        path for path in service_modules(*LAYER_OF) if "danger_unchecked" in path.read_text("utf-8")
    ]
    assert [path.parent.name for path in callers] == ["settings"]
    assert Settings.danger_unchecked({"JWT_SECRET": "short"})[1]
