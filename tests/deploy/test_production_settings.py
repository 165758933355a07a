"""Django's settings in production, defaults included, read in a process of its own."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.production import HOST, POSTGRESQL, PUBLIC_URL, production_server, read_settings

ReadSettings = dict[str, Any]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> ReadSettings:
    return read_settings(production_server(tmp_path_factory.mktemp("production"), POSTGRESQL))


@pytest.fixture(scope="module")
def behind_a_proxy(tmp_path_factory: pytest.TempPathFactory) -> ReadSettings:
    folder = tmp_path_factory.mktemp("behind-a-proxy")
    return read_settings(production_server(folder, POSTGRESQL, LATCHKEY_TRUSTED_PROXIES="1"))


@pytest.mark.ledger("DJ-W018")
def test_production_settings_have_debug_off_and_an_https_public_url(settings: ReadSettings) -> None:
    assert settings["DEBUG"] is False
    assert settings["PUBLIC_URL"] == PUBLIC_URL
    assert "*" not in settings["ALLOWED_HOSTS"]
    assert not [name for name in settings["INSTALLED_APPS"] if "debug" in name]


@pytest.mark.ledger("DJ-W010/11/12", "DJ-W013/14/15", "DJ-W016", "ASVS-3.3.3")
@pytest.mark.parametrize("cookie", ["SESSION", "CSRF"])
def test_production_settings_of_cookies_have_the_host_prefix_and_secure(settings: ReadSettings, cookie: str) -> None:
    assert settings[f"{cookie}_COOKIE_NAME"].startswith("__Host-")
    assert settings[f"{cookie}_COOKIE_SECURE"] is True
    assert settings[f"{cookie}_COOKIE_SAMESITE"] == "Lax"
    assert settings[f"{cookie}_COOKIE_DOMAIN"] is None
    assert settings[f"{cookie}_COOKIE_PATH"] == "/"
    assert settings["SESSION_COOKIE_HTTPONLY"] is True
    assert settings["CSRF_TRUSTED_ORIGINS"] == []


@pytest.mark.ledger("REG-DJANGO-13")
def test_production_settings_of_admin_sessions_are_short_database_backed_json(
    settings: ReadSettings,
) -> None:
    assert 0 < settings["SESSION_COOKIE_AGE"] <= 86_400
    assert settings["SESSION_SAVE_EVERY_REQUEST"] is False
    assert (
        settings["SESSION_ENGINE"] == "latchkey.admin.session_store"
    )  # Django's in the database, with other names of rows
    assert settings["SESSION_SERIALIZER"] == "django.contrib.sessions.serializers.JSONSerializer"


@pytest.mark.ledger("DJ-W001", "DJ-W002", "DJ-W003", "DJ-W004", "DJ-W006", "DJ-W019", "DJ-W022")
def test_production_settings_enable_the_security_headers(settings: ReadSettings) -> None:
    for middleware in (
        "security.SecurityMiddleware",
        "csrf.CsrfViewMiddleware",
        "clickjacking.XFrameOptionsMiddleware",
    ):
        assert f"django.middleware.{middleware}" in settings["MIDDLEWARE"]
    assert settings["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert settings["SECURE_HSTS_INCLUDE_SUBDOMAINS"] is False  # a service decides for its own host
    assert settings["SECURE_HSTS_PRELOAD"] is False
    assert settings["SECURE_CONTENT_TYPE_NOSNIFF"] is True
    assert settings["SECURE_REFERRER_POLICY"] == "same-origin"
    assert settings["SECURE_CROSS_ORIGIN_OPENER_POLICY"] == "same-origin"
    assert settings["X_FRAME_OPTIONS"] == "DENY"


@pytest.mark.ledger("DJ-LIST-7", "DJ-W008")
def test_production_settings_trust_x_forwarded_proto_only_with_a_trusted_proxy(
    settings: ReadSettings, behind_a_proxy: ReadSettings
) -> None:
    assert settings["SECURE_PROXY_SSL_HEADER"] is None
    assert behind_a_proxy["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
    for either in (settings, behind_a_proxy):
        assert either["USE_X_FORWARDED_HOST"] is False
        assert either["USE_X_FORWARDED_PORT"] is False
        assert either["SECURE_SSL_REDIRECT"] is False


def test_rest_framework_defaults_are_authenticated_json_views(settings: ReadSettings) -> None:
    framework = settings["REST_FRAMEWORK"]
    assert framework["DEFAULT_PERMISSION_CLASSES"] == ["latchkey.web.access.DeclaredAccess"]
    assert framework["DEFAULT_AUTHENTICATION_CLASSES"] == ["latchkey.bearer_tokens.authentication.BearerAuthentication"]
    assert framework["DEFAULT_PARSER_CLASSES"] == ["latchkey.web.input.StrictJSONParser"]
    assert framework["DEFAULT_RENDERER_CLASSES"] == [
        "rest_framework.renderers.JSONRenderer",
        "latchkey.web.browsable.BrowsableRenderer",
    ]
    assert framework["URL_FORMAT_OVERRIDE"] is None


def test_production_settings_limit_bodies_and_redirect_no_path(settings: ReadSettings) -> None:
    assert settings["DATA_UPLOAD_MAX_MEMORY_SIZE"] == 64 * 1024
    assert settings["APPEND_SLASH"] is False
    assert settings["MEDIA_ROOT"] == ""


def test_production_settings_of_cors_list_origins_and_allow_no_credentials(settings: ReadSettings) -> None:
    assert settings["CORS_ALLOWED_ORIGINS"] == ["https://app.example.com", "https://app.example.com:8443"]
    for loose in ("CORS_ALLOW_ALL_ORIGINS", "CORS_ALLOWED_ORIGIN_REGEXES", "CORS_ALLOW_CREDENTIALS"):
        assert not settings.get(loose)


def test_production_settings_hash_with_argon2id_and_validate_passwords(settings: ReadSettings) -> None:
    own, *brought_along = settings["PASSWORD_HASHERS"]
    assert own == "latchkey.hashing.argon2.Argon2idPasswordHasher"
    assert {path.rpartition(".")[0] for path in brought_along} == {"latchkey.hashing.legacy"}
    validators = {validator["NAME"].rpartition(".")[2] for validator in settings["AUTH_PASSWORD_VALIDATORS"]}
    assert {"LengthValidator", "BlocklistValidator"} <= validators
    assert "password_min_length=15" in settings["POLICY_DEFAULTS"]
    assert "password_blocklist=True" in settings["POLICY_DEFAULTS"]


@pytest.mark.ledger("DJ-CON-3")
def test_admin_settings_are_numbers_durations_booleans_choices_or_public_texts(settings: ReadSettings) -> None:
    assert settings["CONSTANCE_BACKEND"] == "latchkey.conf.policy_backend.TolerantBackend"
    assert settings["CONSTANCE_CONFIG"]
    for name, (default, *_) in settings["CONSTANCE_CONFIG"].items():
        few = name in ("EMAIL_VERIFICATION", "SECOND_FACTOR")  # one of its choices; other values become the default
        few = few or name in ("SITE_NAME", "APP_URL", "LOGO_URL", "ACCENT_COLOR", "SUPPORT_EMAIL")  # shown to everybody
        assert few or isinstance(default, int) or default.startswith("datetime.timedelta("), f"{name} could be a secret"


def test_production_settings_cache_no_responses_and_set_database_timeouts(settings: ReadSettings) -> None:
    assert [cache["BACKEND"] for cache in settings["CACHES"].values()] == [
        "django.core.cache.backends.locmem.LocMemCache"
    ]
    assert not [name for name in settings["MIDDLEWARE"] if "cache" in name.lower()]
    options = settings["DATABASES"]["default"]["OPTIONS"]
    assert options["connect_timeout"] == 2
    assert "statement_timeout=5s" in options["options"]
    assert "lock_timeout=3s" in options["options"]


@pytest.mark.parametrize(
    ("value", "header"),
    [
        ("", "max-age=63072000"),
        ("host", "max-age=63072000"),
        ("subdomains", "max-age=63072000; includeSubDomains"),
        ("preload", "max-age=63072000; includeSubDomains; preload"),
        ("off", None),
    ],
)
def test_hsts_setting_decides_how_far_the_header_reaches(tmp_path: Path, value: str, header: str | None) -> None:
    server = production_server(tmp_path, LATCHKEY_HSTS=value, LATCHKEY_TRUSTED_PROXIES="1").start()
    try:
        for path in ("/", "/api/me/", "/livez", "/static/latchkey/icon.svg"):
            answer = httpx.get(f"{server.url}{path}", headers={"Host": HOST, "X-Forwarded-Proto": "https"})
            assert answer.headers.get("Strict-Transport-Security") == header, path
    finally:
        server.kill()


def test_unknown_hsts_setting_is_refused(tmp_path: Path) -> None:
    done = production_server(tmp_path, LATCHKEY_HSTS="on").command("check")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("latchkey: LATCHKEY_HSTS is 'on'; it must be 'host' or ")
