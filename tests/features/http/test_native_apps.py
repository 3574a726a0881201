"""Native apps: their origin is compared exactly, and phones are told which apps there are."""

from __future__ import annotations

from typing import Any

import pytest

from core.settings import Settings
from devtools.authenticator import Flaw, SoftAuthenticator
from tests.conftest import StartService
from tests.features.expect import assert_login_refused
from tests.features.http.problems import problem
from tests.support.service import Service

APP = "android:apk-key-hash:-sYXRdwJA3hvue3mKpYrOZ9zSPC7b4mbgzJmdZEDO5w"
# The same 32 bytes, as the tools of Android print them.
FINGERPRINT = (
    "FA:C6:17:45:DC:09:03:78:6F:B9:ED:E6:2A:96:2B:39:"
    "9F:73:48:F0:BB:6F:89:9B:83:32:66:75:91:03:3B:9C"
)
OTHER_APP = "android:apk-key-hash:" + "A" * 43
PAGE = "https://login.example.com"
SETTINGS: dict[str, Any] = {
    "rp_id": "example.com",
    "origin": f"{APP},{PAGE}",
    "jwt_secret": "a secret of more than thirty-two bytes",
    "android_packages": "com.example.app,com.example.tablet",
    "apple_app_ids": "A1B2C3D4E5.com.example.app",
}
DOCUMENTS = ("assetlinks.json", "apple-app-site-association")


@pytest.fixture
def native(start_service: StartService) -> Service:
    return start_service(**SETTINGS)


def test_an_android_app_registers_and_logs_in(native: Service) -> None:
    device = SoftAuthenticator(origin=APP)
    flaw = Flaw(rp_id="example.com", client_data_members={"androidPackageName": "com.example.app"})
    native.register(device, flaw=flaw)
    assert native.try_login(device, flaw=flaw).status_code == 200
    # The passkey belongs to the RP ID: the page may use it, too.
    assert native.try_login(device, flaw=Flaw(origin=PAGE)).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [OTHER_APP, APP + "=", APP + "/", APP.lower(), APP[:-1], APP.replace("-", "+"),
     "android:apk-key-hash:" + FINGERPRINT, "android:apk-key-hash:", "com.example.app"],
)  # fmt: skip
def test_what_is_nearly_the_app_is_refused(native: Service, origin: str) -> None:
    """A8: another certificate is another app."""
    device = SoftAuthenticator(origin=APP)
    native.register(device)
    assert_login_refused(native, native.try_login(device, flaw=Flaw(origin=origin)), "origin")


def test_without_the_setting_no_app_is_accepted(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A8: the default is this service's own page alone."""
    assert_login_refused(service, service.try_login(device, flaw=Flaw(origin=APP)), "origin")


def test_an_app_is_not_the_address_of_the_service(native: Service) -> None:
    assert native.settings.issuer == PAGE
    enroll = native.get("/.well-known/passkey-endpoints").json()
    assert enroll == {"enroll": f"{PAGE}/#register"}


def test_android_is_told_the_apps(native: Service) -> None:
    answer = native.get("/.well-known/assetlinks.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == [
        {
            "relation": [
                "delegate_permission/common.handle_all_urls",
                "delegate_permission/common.get_login_creds",
            ],
            "target": {
                "namespace": "android_app",
                "package_name": package,
                "sha256_cert_fingerprints": [FINGERPRINT],
            },
        }
        for package in ("com.example.app", "com.example.tablet")
    ]


def test_apple_is_told_the_apps(native: Service) -> None:
    answer = native.get("/.well-known/apple-app-site-association")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"webcredentials": {"apps": ["A1B2C3D4E5.com.example.app"]}}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_without_apps_there_is_no_such_document(shared: Service, name: str) -> None:
    problem(shared.get(f"/.well-known/{name}"), 404, "not_found")


def test_http_and_https_are_asked_of_pages_only() -> None:
    """HSTS, the doctor and production look at pages: an app is neither http nor https."""
    settings = Settings.from_environment(
        {
            "ENVIRONMENT": "production",
            "RP_ID": "example.com",
            "ORIGIN": f"{PAGE},{APP}",
            "JWT_SECRET": "0123456789abcdef" * 4,
            "TRUSTED_PROXIES": "10.0.0.0/8",
        }
    )
    assert (settings.web_origins, settings.app_origins) == ((PAGE,), (APP,))
