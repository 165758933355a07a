"""Django's settings in production, read in a process of its own: the shipped values, defaults included."""

from typing import Any

import pytest

from tests.support.production import POSTGRESQL, PUBLIC_URL, production_server, read_settings

ReadSettings = dict[str, Any]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> ReadSettings:
    return read_settings(production_server(tmp_path_factory.mktemp("production"), POSTGRESQL))


@pytest.fixture(scope="module")
def behind_a_proxy(tmp_path_factory: pytest.TempPathFactory) -> ReadSettings:
    folder = tmp_path_factory.mktemp("behind-a-proxy")
    return read_settings(production_server(folder, POSTGRESQL, LATCHKEY_TRUSTED_PROXIES="1"))


@pytest.mark.ledger("DJ-W018")
def test_debug_is_off_and_the_issuer_is_https(settings: ReadSettings) -> None:
    assert settings["DEBUG"] is False
    assert settings["PUBLIC_URL"] == PUBLIC_URL
    assert "*" not in settings["ALLOWED_HOSTS"]
    assert not [name for name in settings["INSTALLED_APPS"] if "debug" in name]


@pytest.mark.ledger("DJ-W010/11/12", "DJ-W013/14/15", "DJ-W016", "ASVS-3.3.3")
@pytest.mark.parametrize("cookie", ["SESSION", "CSRF"])
def test_cookies_are_bound_to_this_host_and_to_tls(settings: ReadSettings, cookie: str) -> None:
    assert settings[f"{cookie}_COOKIE_NAME"].startswith("__Host-")
    assert settings[f"{cookie}_COOKIE_SECURE"] is True
    assert settings[f"{cookie}_COOKIE_SAMESITE"] == "Lax"
    assert settings[f"{cookie}_COOKIE_DOMAIN"] is None
    assert settings[f"{cookie}_COOKIE_PATH"] == "/"
    assert settings["SESSION_COOKIE_HTTPONLY"] is True
    assert settings["CSRF_TRUSTED_ORIGINS"] == []


@pytest.mark.ledger("REG-DJANGO-13")
def test_admin_sessions_are_short_kept_in_the_database_as_json_and_saved_on_change_alone(
    settings: ReadSettings,
) -> None:
    assert 0 < settings["SESSION_COOKIE_AGE"] <= 86_400
    assert settings["SESSION_SAVE_EVERY_REQUEST"] is False
    assert settings["SESSION_ENGINE"] == "django.contrib.sessions.backends.db"
    assert settings["SESSION_SERIALIZER"] == "django.contrib.sessions.serializers.JSONSerializer"


@pytest.mark.ledger("DJ-W001", "DJ-W002", "DJ-W003", "DJ-W004", "DJ-W005", "DJ-W006", "DJ-W019", "DJ-W021", "DJ-W022")
def test_the_security_headers_are_on(settings: ReadSettings) -> None:
    for middleware in (
        "security.SecurityMiddleware",
        "csrf.CsrfViewMiddleware",
        "clickjacking.XFrameOptionsMiddleware",
    ):
        assert f"django.middleware.{middleware}" in settings["MIDDLEWARE"]
    assert settings["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert settings["SECURE_HSTS_INCLUDE_SUBDOMAINS"] is True
    assert settings["SECURE_HSTS_PRELOAD"] is True
    assert settings["SECURE_CONTENT_TYPE_NOSNIFF"] is True
    assert settings["SECURE_REFERRER_POLICY"] == "same-origin"
    assert settings["SECURE_CROSS_ORIGIN_OPENER_POLICY"] == "same-origin"
    assert settings["X_FRAME_OPTIONS"] == "DENY"


@pytest.mark.ledger("DJ-LIST-7", "DJ-W008")
def test_forwarded_headers_count_only_where_a_proxy_is_trusted(
    settings: ReadSettings, behind_a_proxy: ReadSettings
) -> None:
    assert settings["SECURE_PROXY_SSL_HEADER"] is None
    assert behind_a_proxy["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
    for either in (settings, behind_a_proxy):
        assert either["USE_X_FORWARDED_HOST"] is False
        assert either["USE_X_FORWARDED_PORT"] is False
        assert either["SECURE_SSL_REDIRECT"] is False


def test_a_view_is_closed_and_takes_and_gives_json_unless_it_says_otherwise(settings: ReadSettings) -> None:
    framework = settings["REST_FRAMEWORK"]
    assert framework["DEFAULT_PERMISSION_CLASSES"] == ["rest_framework.permissions.IsAuthenticated"]
    assert framework["DEFAULT_AUTHENTICATION_CLASSES"] == ["latchkey.sessions.authentication.SessionAuthentication"]
    assert framework["DEFAULT_PARSER_CLASSES"] == ["latchkey.web.input.StrictJSONParser"]
    assert framework["DEFAULT_RENDERER_CLASSES"] == [
        "rest_framework.renderers.JSONRenderer",
        "latchkey.web.browsable.BrowsableRenderer",
    ]
    assert framework["URL_FORMAT_OVERRIDE"] is None


def test_bodies_are_small_and_no_path_redirects(settings: ReadSettings) -> None:
    assert settings["DATA_UPLOAD_MAX_MEMORY_SIZE"] == 64 * 1024
    assert settings["APPEND_SLASH"] is False
    assert settings["MEDIA_ROOT"] == ""


def test_origins_are_named_one_by_one_and_bring_no_cookies(settings: ReadSettings) -> None:
    assert settings["CORS_ALLOWED_ORIGINS"] == ["https://app.example.com", "https://app.example.com:8443"]
    for loose in ("CORS_ALLOW_ALL_ORIGINS", "CORS_ALLOWED_ORIGIN_REGEXES", "CORS_ALLOW_CREDENTIALS"):
        assert not settings.get(loose)


def test_passwords_are_hashed_with_argon2id_and_chosen_with_care(settings: ReadSettings) -> None:
    own, *brought_along = settings["PASSWORD_HASHERS"]
    assert own == "latchkey.hashing.argon2.Argon2idPasswordHasher"
    assert {path.rpartition(".")[0] for path in brought_along} == {"latchkey.hashing.legacy"}
    validators = {validator["NAME"].rpartition(".")[2] for validator in settings["AUTH_PASSWORD_VALIDATORS"]}
    assert {"LengthValidator", "BlocklistValidator"} <= validators
    assert "password_min_length=15" in settings["POLICY_DEFAULTS"]
    assert "password_blocklist=True" in settings["POLICY_DEFAULTS"]


@pytest.mark.ledger("DJ-CON-3")
def test_what_the_admin_can_set_is_a_number_a_duration_a_switch_or_one_of_a_few_words(settings: ReadSettings) -> None:
    assert settings["CONSTANCE_BACKEND"] == "latchkey.conf.policy_backend.TolerantBackend"
    assert settings["CONSTANCE_CONFIG"]
    for name, (default, *_) in settings["CONSTANCE_CONFIG"].items():
        few = name == "EMAIL_VERIFICATION"  # a word out of the knob's choices; anything else is its default
        assert few or isinstance(default, int) or default.startswith("datetime.timedelta("), f"{name} could be a secret"


def test_nothing_is_cached_between_requests_and_no_statement_waits_for_ever(settings: ReadSettings) -> None:
    assert [cache["BACKEND"] for cache in settings["CACHES"].values()] == [
        "django.core.cache.backends.locmem.LocMemCache"
    ]
    assert not [name for name in settings["MIDDLEWARE"] if "cache" in name.lower()]
    options = settings["DATABASES"]["default"]["OPTIONS"]
    assert options["connect_timeout"] == 2
    assert "statement_timeout=5s" in options["options"]
    assert "lock_timeout=3s" in options["options"]
