"""Django settings, and the only place that reads environment variables; docs/settings.md lists them.

An invalid value raises ImproperlyConfigured with one sentence, before anything has started.
"""

import os
from pathlib import Path
from urllib.parse import quote

from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured

from latchkey.admin.theme import UNFOLD  # noqa: F401  # a Django setting of that name
from latchkey.conf import rest_framework
from latchkey.conf.cookies import refresh_cookie_name
from latchkey.conf.database import parse_database_url
from latchkey.conf.email import parse_email_url, parse_from_address
from latchkey.conf.env import Env
from latchkey.conf.passkeys import app_origins, parse_android_apps, parse_ios_apps, parse_origins, parse_rp_id
from latchkey.conf.policy import Policy, constance_config
from latchkey.conf.templates import template_engines
from latchkey.conf.urls import LISTEN_URL, parse_url
from latchkey.conf.web_urls import parse_redirect_urls
from latchkey.core.crypto import ensure_private_directory, read_or_create_secret
from latchkey.telemetry.logging import logging_config

env = Env(os.environ)
PACKAGE = Path(__file__).resolve().parent

PRODUCTION = env.get_choice("LATCHKEY_MODE", "development", "production") == "production"
DEBUG = False  # in development too, so that it runs the same code as production

DATA_DIR = Path(env.get_str("LATCHKEY_DATA_DIR", "./var")).resolve()
DATABASE_URL = env.get_secret("DATABASE_URL", "")
DATABASES = {
    "default": parse_database_url(
        DATABASE_URL or f"sqlite:///{quote(str(ensure_private_directory(DATA_DIR) / 'latchkey.sqlite3'))}"
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SECRET_KEY = env.get_secret("LATCHKEY_SECRET_KEY", "")
if not SECRET_KEY and PRODUCTION:
    raise ImproperlyConfigured("LATCHKEY_SECRET_KEY is not set; production requires 50 random characters or more.")
SECRET_KEY = SECRET_KEY or read_or_create_secret(ensure_private_directory(DATA_DIR) / "secret")
SECRET_KEY_FALLBACKS = env.get_secrets("LATCHKEY_SECRET_KEY_FALLBACKS")
SIGNING_ALGORITHM = env.get_choice("LATCHKEY_SIGNING_ALGORITHM", "HS256", "EdDSA", "ES256", "RS256")

LOCAL_URL = env.get_url(LISTEN_URL, "http://127.0.0.1:8000")
LOCAL_HOSTS = ["127.0.0.1", "localhost", "[::1]", parse_url(LOCAL_URL).host]
PUBLIC_URL = env.get_url("LATCHKEY_PUBLIC_URL", "" if PRODUCTION else LOCAL_URL)
PUBLIC_PATH = parse_url(PUBLIC_URL).path if PUBLIC_URL else ""
FORCE_SCRIPT_NAME = PUBLIC_PATH or None  # the prefix of every link; the reverse proxy takes it away from requests
ALLOWED_HOSTS = env.get_hosts("LATCHKEY_ALLOWED_HOSTS", [] if PRODUCTION else LOCAL_HOSTS)
CORS_ALLOWED_ORIGINS = env.get_origins("LATCHKEY_CORS_ORIGINS")
REDIRECT_URLS = parse_redirect_urls(env.get_list("LATCHKEY_REDIRECT_URLS", []))
ANDROID_APPS = parse_android_apps(env.get_list("LATCHKEY_ANDROID_APPS", []))
IOS_APPS = parse_ios_apps(env.get_list("LATCHKEY_IOS_APPS", []))
PASSKEY_ORIGINS = parse_origins(env.get_list("LATCHKEY_PASSKEY_ORIGINS", []), PUBLIC_URL)
PASSKEY_RP_ID = parse_rp_id(env.get_str("LATCHKEY_PASSKEY_RP_ID", ""), PUBLIC_URL, PASSKEY_ORIGINS)
PASSKEY_ORIGINS += app_origins(PASSKEY_RP_ID, ANDROID_APPS, IOS_APPS)
TRUSTED_PROXIES = env.get_int("LATCHKEY_TRUSTED_PROXIES", 0)
BROWSABLE_API = env.get_bool("LATCHKEY_BROWSABLE_API", True)
API_DOCS = env.get_bool("LATCHKEY_API_DOCS", True)
METRICS_ADDRESS = env.get_host_port("LATCHKEY_METRICS_ADDRESS")
METRICS_FOR_ALL = not (PRODUCTION or METRICS_ADDRESS)  # on the main address, where anybody could read them
TRACING = bool(
    env.get_endpoint("OTEL_EXPORTER_OTLP_ENDPOINT") or env.get_endpoint("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
)
ADMIN_EMAIL = env.get_str("LATCHKEY_ADMIN_EMAIL", "")
ADMIN_PASSWORD = env.get_secret("LATCHKEY_ADMIN_PASSWORD", "")
MAIL_SERVER = parse_email_url(env.get_secret("EMAIL_URL", "" if PRODUCTION else "console://"))
MAIL_FROM = parse_from_address(env.get_str("LATCHKEY_EMAIL_FROM", ""), PUBLIC_URL)
EMAIL_SMTPUTF8 = env.get_bool("LATCHKEY_EMAIL_SMTPUTF8", False)
EMAIL_SPECIAL_DOMAINS = env.get_domains("LATCHKEY_EMAIL_SPECIAL_DOMAINS")
MAIL_LANGUAGE = env.get_str("LATCHKEY_MAIL_LANGUAGE", "") or "en"
TEMPLATES_DIR = env.get_str("LATCHKEY_TEMPLATES_DIR", "")

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "latchkey.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "constance",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "latchkey",
]
MIDDLEWARE = [
    "latchkey.web.middleware.RequestLogMiddleware",
    "latchkey.web.middleware.SecurityHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "latchkey.web.middleware.CredentialedCorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "latchkey.web.middleware.HostMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "latchkey.urls"
WSGI_APPLICATION = "latchkey.wsgi.application"
APPEND_SLASH = False  # a redirect to the path with the slash would lose the body of a POST
CSRF_FAILURE_VIEW = "latchkey.web.problems.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
CORS_ALLOW_HEADERS = [*default_headers, *rest_framework.CORS_REQUEST_HEADERS]
CORS_EXPOSE_HEADERS = rest_framework.CORS_RESPONSE_HEADERS
TEMPLATES = template_engines(TEMPLATES_DIR, PACKAGE / "templates")
STATIC_URL = f"{PUBLIC_PATH}/static/"
STATICFILES_DIRS = [PACKAGE / "static"]
WHITENOISE_USE_FINDERS = True  # serve static files from the packages: no collectstatic, no directory

REST_FRAMEWORK = rest_framework.rest_framework_settings(BROWSABLE_API)
SPECTACULAR_SETTINGS = rest_framework.spectacular_settings(PUBLIC_PATH)
USE_I18N = MAIL_LANGUAGE != "en"  # only mails are translated; the API and the admin area are in English
LOCALE_PATHS = [Path(TEMPLATES_DIR) / "locale"] if TEMPLATES_DIR else []
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "latchkey.admin.formats"

AUTH_USER_MODEL = "latchkey.User"
PASSWORD_HASHERS = [
    "latchkey.hashing.argon2.Argon2idPasswordHasher",
    "latchkey.hashing.legacy.LegacyPBKDF2PasswordHasher",
    "latchkey.hashing.legacy.LegacyPBKDF2SHA1PasswordHasher",
    "latchkey.hashing.legacy.PBKDF2PHCPasswordHasher",
    "latchkey.hashing.legacy.PBKDF2SHA512PHCPasswordHasher",
    "latchkey.hashing.legacy.LegacyScryptPasswordHasher",
    "latchkey.hashing.legacy.ScryptPHCPasswordHasher",
    "latchkey.hashing.legacy.LegacyBCryptPasswordHasher",
    "latchkey.hashing.legacy.LegacyBCryptSHA256PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "latchkey.accounts.password_validation.LengthValidator"},
    {"NAME": "latchkey.accounts.password_validation.BlocklistValidator"},
    {
        "NAME": "latchkey.accounts.password_validation.ContextWordsValidator",
        "OPTIONS": {"words": ["latchkey", PUBLIC_URL.rpartition("://")[2]]},
    },
]
POLICY_DEFAULTS = Policy(password_min_length=15, password_blocklist=True) if PRODUCTION else Policy()
CONSTANCE_BACKEND = "latchkey.conf.policy_backend.TolerantBackend"
CONSTANCE_CONFIG, CONSTANCE_CONFIG_FIELDSETS, CONSTANCE_ADDITIONAL_FIELDS = constance_config(POLICY_DEFAULTS)

LOGIN_REDIRECT_URL = "admin:index"
SESSION_ENGINE = "latchkey.admin.session_store"
SESSION_COOKIE_AGE = 8 * 60 * 60  # seconds; the cookie of the admin area and of the account pages
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = f"{PUBLIC_PATH}/"
COOKIE_PREFIX = ("__Secure-" if PUBLIC_PATH else "__Host-") if PRODUCTION else ""  # '__Host-' requires the path '/'
REFRESH_COOKIE_NAME = refresh_cookie_name(PRODUCTION, PUBLIC_PATH)
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid", f"{COOKIE_PREFIX}csrftoken"
HSTS = env.get_choice("LATCHKEY_HSTS", "host", "subdomains", "preload", "off")
SECURE_HSTS_SECONDS = 63_072_000 if PRODUCTION and HSTS != "off" else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HSTS in ("subdomains", "preload")
SECURE_HSTS_PRELOAD = HSTS == "preload"
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # SECURE_HSTS_INCLUDE_SUBDOMAINS: other services of the domain may lack TLS; LATCHKEY_HSTS
    "security.W021",  # SECURE_HSTS_PRELOAD: it is for the whole domain and for years; LATCHKEY_HSTS
    "security.W008",  # SECURE_SSL_REDIRECT: the reverse proxy redirects pages; an API must not (ASVS 4.1.2)
]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
X_FRAME_OPTIONS = "DENY"

LOGGING = logging_config(PRODUCTION, env.get_choice("LATCHKEY_LOG_LEVEL", "info", "debug", "warning", "error"))
UNKNOWN_VARIABLES = env.unknown_names()  # after the last reader
