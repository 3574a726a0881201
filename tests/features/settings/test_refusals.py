"""Settings that are weak or contradict each other: one sentence, and no start."""

from __future__ import annotations

import pytest

from core.errors import ConfigurationError
from core.settings import Settings

SECRET = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"
APP = "android:apk-key-hash:-sYXRdwJA3hvue3mKpYrOZ9zSPC7b4mbgzJmdZEDO5w"
AWAY = {"RP_ID": "example.com", "ORIGIN": "https://example.com"}
SAFE = {**AWAY, "JWT_SECRET": SECRET}

SECRETS: dict[str, dict[str, str]] = {
    "one byte": {"JWT_SECRET": "x"},
    "31 bytes": {"JWT_SECRET": SECRET[:31]},
    "white space": {"JWT_SECRET": " \t"},
    "one character, 64 times": {"JWT_SECRET": "a" * 64},
    "seven characters": {"JWT_SECRET": "abcdefg" * 8},
    "32 bytes for HS384": {"JWT_SECRET": SECRET, "JWT_ALGORITHM": "HS384"},
    "32 bytes for HS512": {"JWT_SECRET": SECRET, "JWT_ALGORITHM": "HS512"},
    "the default on a real domain": AWAY,
    "the default, written out": {
        **AWAY,
        "JWT_SECRET": "development-secret-for-localhost-only-do-not-deploy",
    },
    "the default under .localhost": {
        "RP_ID": "auth.localhost",
        "ORIGIN": "https://auth.localhost",
    },
    "the default and https on localhost's twin": {
        "RP_ID": "localhost.example.com",
        "ORIGIN": "https://localhost.example.com",
    },
}
PREVIOUS: dict[str, dict[str, str]] = {
    "31 bytes": {**SAFE, "JWT_SECRET_PREVIOUS": OTHER[:31]},
    "32 bytes for HS512": {
        "JWT_SECRET": SECRET * 2,
        "JWT_ALGORITHM": "HS512",
        "JWT_SECRET_PREVIOUS": OTHER,
    },
    "one character, 64 times": {**SAFE, "JWT_SECRET_PREVIOUS": "a" * 64},
    "the current one": {**SAFE, "JWT_SECRET_PREVIOUS": SECRET},
    "the development secret on a real domain": {
        **SAFE,
        "JWT_SECRET_PREVIOUS": "development-secret-for-localhost-only-do-not-deploy",
    },
    "the development secret in production": {
        "ENVIRONMENT": "production",
        "JWT_SECRET": SECRET,
        "ORIGIN": "https://localhost",
        "TRUSTED_PROXIES": "10.0.0.0/8",
        "JWT_SECRET_PREVIOUS": "development-secret-for-localhost-only-do-not-deploy",
    },
}
RELYING_PARTIES: dict[str, dict[str, str]] = {
    "an IPv4 address": {**SAFE, "RP_ID": "127.0.0.1", "ORIGIN": "https://127.0.0.1"},
    "an IPv6 address": {**SAFE, "RP_ID": "[::1]", "ORIGIN": "https://[::1]"},
    "a number": {**SAFE, "RP_ID": "2130706433", "ORIGIN": "https://2130706433"},
    "a URL": {**SAFE, "RP_ID": "https://example.com"},
    "a port": {**SAFE, "RP_ID": "example.com:443"},
    "a path": {**SAFE, "RP_ID": "example.com/login"},
    "upper case": {**SAFE, "RP_ID": "Example.com"},
    "a trailing dot": {**SAFE, "RP_ID": "example.com."},
    "a leading dot": {**SAFE, "RP_ID": ".example.com"},
    "a wildcard": {**SAFE, "RP_ID": "*.example.com"},
    "a hyphen first": {**SAFE, "RP_ID": "-example.com"},
    "a space": {**SAFE, "RP_ID": "exam ple.com"},
    "not ASCII": {**SAFE, "RP_ID": "bücher.example"},
    "a label of 64": {**SAFE, "RP_ID": "a" * 64 + ".com"},
}
ORIGINS = {
    "another domain": "https://example.org",
    "a domain that ends so": "https://evilexample.com",
    "a domain that begins so": "https://example.com.evil.example",
    "a parent of the RP ID": "https://com",
    "one good, one foreign": "https://example.com,https://example.org",
    "http outside localhost": "http://example.com",
    "a trailing slash": "https://example.com/",
    "a path": "https://example.com/login",
    "a query": "https://example.com?x",
    "a fragment": "https://example.com#x",
    "a user": "https://user:pw@example.com",
    "upper case": "https://Example.com",
    "the default port": "https://example.com:443",
    "a port that is none": "https://example.com:99999",
    "a port of letters": "https://example.com:https",
    "an empty port": "https://example.com:",
    "no scheme": "example.com",
    "another scheme": "ftp://example.com",
    "an app alone": APP,
    "an app with a short hash": f"https://example.com,{APP[:-1]}",
    "an app with a long hash": f"https://example.com,{APP}A",
    "an app with padding": f"https://example.com,{APP}=",
    "an app in standard base64": f"https://example.com,{APP.replace('-', '+')}",
    "an app with unused bits": f"https://example.com,{APP[:-1]}9",
    "an app in upper case": f"https://example.com,{APP.replace('android', 'ANDROID')}",
    "an app by SHA-1": "https://example.com,android:apk-key-hash:" + "A" * 27,
    "an app of another scheme": f"https://example.com,{APP.replace('apk-key-hash', 'package')}",
    "null": "null",
    "a wildcard": "https://*.example.com",
    "any": "*",
    "no origin at all": " , ",
    "not ASCII": "https://bücher.example.com",
    "a broken address": "https://[::1",
    "a backslash": "https://example.com\\@evil.example",
}
RELATED = {
    "http": "http://example.de",
    "http on localhost": "http://app.localhost",
    "a path": "https://example.de/login",
    "a trailing slash": "https://example.de/",
    "upper case": "https://Example.de",
    "the default port": "https://example.de:443",
    "null": "null",
    "any": "*",
    "a wildcard": "https://*.example.de",
    "an app": "android:apk-key-hash:abc",
    "the RP ID itself": "https://example.com",
    "under the RP ID": "https://login.example.com",
    "one good, one under the RP ID": "https://example.de,https://www.example.com",
    "a public suffix": "https://co.uk",
    "a top-level domain": "https://de",
    "an address": "https://127.0.0.1",
    "six names": ",".join(f"https://shop{n}.de" for n in range(6)),
}
OTHERS: dict[str, tuple[str, str]] = {
    "a package of one word": ("ANDROID_PACKAGES", "example"),
    "a package without its origin": ("ANDROID_PACKAGES", "com.example.app"),
    "a bundle without a team": ("APPLE_APP_IDS", "com.example.app"),
    "a team in lower case": ("APPLE_APP_IDS", "a1b2c3d4e5.com.example.app"),
    "another attachment": ("AUTHENTICATOR_ATTACHMENT", "cross-platform"),
    "an algorithm without a key": ("JWT_ALGORITHM", "none"),
    "an asymmetric algorithm": ("JWT_ALGORITHM", "RS256"),
    "an algorithm in lower case": ("JWT_ALGORITHM", "hs256"),
    "no life": ("JWT_EXPIRATION_MINUTES", "0"),
    "a negative life": ("JWT_EXPIRATION_MINUTES", "-5"),
    "a life past a day": ("JWT_EXPIRATION_MINUTES", "1441"),
    "a life that is no number": ("JWT_EXPIRATION_MINUTES", "1h"),
    "half a minute": ("JWT_EXPIRATION_MINUTES", "0.5"),
    "a name of 65": ("RP_NAME", "x" * 65),
    "a short decoy secret": ("DECOY_SECRET", "short"),
    "a network that is none": ("TRUSTED_PROXIES", "proxy.example.com"),
    "a network with host bits": ("TRUSTED_PROXIES", "10.0.0.1/8"),
    "a mask of 33": ("TRUSTED_PROXIES", "10.0.0.0/33"),
    "one good network, one bad": ("TRUSTED_PROXIES", "10.0.0.0/8,nowhere"),
    "every origin": ("CORS_ORIGINS", "*"),
    "the null origin": ("CORS_ORIGINS", "null"),
    "a foreign page over http": ("CORS_ORIGINS", "http://app.example.com"),
    "a database in memory": ("DATABASE_URL", "sqlite:///:memory:"),
    "a database without a file": ("DATABASE_URL", "sqlite://"),
    "an empty file name": ("DATABASE_URL", "sqlite:///"),
    "a database with options": ("DATABASE_URL", "sqlite:///app.db?mode=ro"),
    "a database nobody wrote for": ("DATABASE_URL", "mysql://root@localhost/app"),
    "a path for a database": ("DATABASE_URL", "/var/lib/app.db"),
    "too few ceremonies": ("PENDING_CEREMONIES", "1"),
    "too many ceremonies": ("PENDING_CEREMONIES", "999999999"),
    "no requests per address": ("RATE_LIMIT_ADDRESS", "0"),
    "no requests per email": ("RATE_LIMIT_EMAIL", "0"),
    "no requests at all": ("RATE_LIMIT_GLOBAL", "-1"),
    "limits perhaps": ("DANGER_RATE_LIMITS_OFF", "perhaps"),
    "danger perhaps": ("DANGER_REVEAL_UNKNOWN_EMAIL", "perhaps"),
}


def refused(environment: dict[str, str]) -> str:
    """The one sentence of the refusal."""
    with pytest.raises(ConfigurationError) as refusal:
        Settings.from_environment(environment)
    sentence = str(refusal.value)
    assert "\n" not in sentence
    assert refusal.value.__cause__ is None
    return sentence


@pytest.mark.parametrize("environment", SECRETS.values(), ids=SECRETS)
def test_a_weak_secret_does_not_start(environment: dict[str, str]) -> None:
    """C5: default, short, or without variety: refused, and never shown."""
    sentence = refused(environment)
    assert "JWT_SECRET" in sentence
    assert environment.get("JWT_SECRET", "development-secret") not in sentence


@pytest.mark.parametrize("environment", PREVIOUS.values(), ids=PREVIOUS)
def test_a_weak_previous_secret_does_not_start(environment: dict[str, str]) -> None:
    """C5: what verifies must be as strong as what signs, or it is the one to attack."""
    sentence = refused(environment)
    assert "JWT_SECRET_PREVIOUS" in sentence
    assert environment["JWT_SECRET_PREVIOUS"] not in sentence


@pytest.mark.parametrize("environment", RELYING_PARTIES.values(), ids=RELYING_PARTIES)
def test_what_is_no_domain_is_no_rp_id(environment: dict[str, str]) -> None:
    """C5: browsers would refuse it, one user at a time."""
    assert "RP_ID" in refused(environment)


@pytest.mark.parametrize("origin", ORIGINS.values(), ids=ORIGINS)
def test_an_origin_that_does_not_lie_under_the_rp_id_does_not_start(origin: str) -> None:
    """C5 A8: https, as browsers write it, and under RP_ID."""
    assert "ORIGIN" in refused({**SAFE, "ORIGIN": origin})


@pytest.mark.parametrize("origin", RELATED.values(), ids=RELATED)
def test_a_related_origin_that_browsers_would_not_take_does_not_start(origin: str) -> None:
    """C5 A8: https, as browsers write it, beyond RP_ID, and no more names than they look at."""
    assert "RELATED_ORIGINS" in refused({**SAFE, "RELATED_ORIGINS": origin})


@pytest.mark.parametrize(("name", "value"), OTHERS.values(), ids=OTHERS)
def test_a_value_that_makes_no_sense_does_not_start(name: str, value: str) -> None:
    """C5: the sentence names the variable."""
    assert name in refused({name: value})


@pytest.mark.parametrize(
    "environment",
    [
        {},
        SAFE,
        {**SAFE, "ORIGIN": "https://login.example.com,https://example.com:8443"},
        {"ORIGIN": "http://localhost"},
        {"ORIGIN": "https://app.localhost:8443,http://localhost:3000"},
        {"JWT_SECRET": SECRET * 2, "JWT_ALGORITHM": "HS512"},
        {**SAFE, "JWT_SECRET_PREVIOUS": OTHER},
        # A developer who has just set the first secret of their own.
        {
            "JWT_SECRET": SECRET,
            "JWT_SECRET_PREVIOUS": "development-secret-for-localhost-only-do-not-deploy",
        },
        {"JWT_SECRET": "пароль-из-тридцати-двух"},
        {"TRUSTED_PROXIES": "127.0.0.1,10.0.0.0/8,fd00::/8"},
        {"CORS_ORIGINS": "https://app.example.com,http://localhost:5173"},
        {"JWT_EXPIRATION_MINUTES": "1440"},
        {**SAFE, "RELATED_ORIGINS": ",".join(f"https://shop{n}.de" for n in range(5))},
        # One name under many suffixes counts once; the RP ID's own counts like any other.
        {
            **SAFE,
            "RELATED_ORIGINS": "https://example.de,https://www.example.co.uk,https://example.fr,"
            "https://a.example.com.au,https://b.example.com.au:8443,https://example.org",
        },
        {**SAFE, "RELATED_ORIGINS": "https://evilexample.com"},
        {**SAFE, "ORIGIN": f"{APP},https://example.com", "ANDROID_PACKAGES": "com.example.app"},
        {"ORIGIN": f"http://localhost:8000,{APP}"},
        {"APPLE_APP_IDS": "A1B2C3D4E5.com.example.app,A1B2C3D4E5.com.example.other-app"},
    ],
    ids=str,
)
def test_sound_settings_start(environment: dict[str, str]) -> None:
    """C5: the checks do not shut anyone out."""
    Settings.from_environment(environment)


@pytest.mark.parametrize(
    "environment",
    [
        {"JWT_SECRET": "hunter2-hunter2"},
        {"JWT_SECRET_PREVIOUS": "hunter2-hunter2"},
        {"DECOY_SECRET": "hunter2-hunter2"},
        {"DATABASE_URL": "mysql://auth:hunter2@db.example/app"},
        {"DATABASE_URL": "postgresql+nonsense://auth:hunter2@db.example/app"},
        {"CORS_ORIGINS": "https://auth:hunter2@app.example.com"},
        {**SAFE, "ORIGIN": "https://auth:hunter2@example.com"},
        {**SAFE, "RELATED_ORIGINS": "https://auth:hunter2@example.de"},
        {"JWT_EXPIRATION_MINUTES": "hunter2"},
    ],
    ids=lambda environment: "+".join(environment),
)
def test_no_refusal_shows_a_secret(environment: dict[str, str]) -> None:
    """C5: the sentence goes to a console that many can read."""
    assert "hunter2" not in refused(environment)
