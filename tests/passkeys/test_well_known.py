"""The well-known documents of passkeys: related origins, Android's asset links, Apple's associated domains."""

from typing import Any

import httpx
import pytest

from latchkey.conf.passkeys import parse_android_apps
from tests.problems import assert_problem

FINGERPRINT = ":".join(f"{byte:02X}" for byte in range(32))
PATHS = ("/.well-known/webauthn", "/.well-known/assetlinks.json", "/.well-known/apple-app-site-association")


@pytest.mark.parametrize("path", PATHS)
def test_document_is_404_while_nothing_is_configured(http: httpx.Client, path: str) -> None:
    assert_problem(http.get(path), 404, "not_found")


@pytest.mark.parametrize("path", PATHS)
def test_document_can_only_be_read(http: httpx.Client, path: str) -> None:
    assert_problem(http.post(path), 405, "method_not_allowed")


def test_related_origins_are_all_origins_of_pages_once_one_is_on_another_domain(
    http: httpx.Client, settings: Any
) -> None:
    settings.PASSKEY_RP_ID = "example.com"
    settings.PASSKEY_ORIGINS = ["https://app.example.com", f"android:apk-key-hash:{'A' * 43}"]
    assert http.get("/.well-known/webauthn").status_code == 404
    settings.PASSKEY_ORIGINS += ["https://example.co.uk"]
    answer = http.get("/.well-known/webauthn")
    assert answer.json() == {"origins": ["https://app.example.com", "https://example.co.uk"]}
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"


def test_asset_links_name_each_android_app_with_its_certificate(http: httpx.Client, settings: Any) -> None:
    settings.ANDROID_APPS = parse_android_apps([f"com.example.app:{FINGERPRINT}"])
    answer = http.get("/.well-known/assetlinks.json")
    assert answer.json() == [
        {
            "relation": ["delegate_permission/common.handle_all_urls", "delegate_permission/common.get_login_creds"],
            "target": {
                "namespace": "android_app",
                "package_name": "com.example.app",
                "sha256_cert_fingerprints": [FINGERPRINT],
            },
        }
    ]
    assert answer.headers["Content-Type"] == "application/json"


def test_apple_app_site_association_names_each_app(http: httpx.Client, settings: Any) -> None:
    settings.IOS_APPS = ["A1B2C3D4E5.com.example.app"]
    answer = http.get("/.well-known/apple-app-site-association")
    assert answer.json() == {"webcredentials": {"apps": ["A1B2C3D4E5.com.example.app"]}}
    assert answer.headers["Content-Type"] == "application/json"
