"""Django's settings, and the only reader of the environment; docs/settings.md lists every variable.

A value that cannot be used raises ImproperlyConfigured with one sentence, before anything has started.
"""

import os
from pathlib import Path
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured

from latchkey.admin.theme import UNFOLD  # noqa: F401  # a setting as it is
from latchkey.conf.database import connection_settings
from latchkey.conf.email import mail_server, sender
from latchkey.conf.env import Environment
from latchkey.conf.policy import Policy, constance_settings
from latchkey.conf.rest_framework import SPECTACULAR, rest_framework_settings
from latchkey.conf.templates import template_engines
from latchkey.core.crypto import private_directory, secret_in
from latchkey.telemetry.logging import logging_settings

env = Environment(os.environ)
PACKAGE = Path(__file__).resolve().parent

PRODUCTION = env.choice("LATCHKEY_MODE", "development", "production") == "production"
DEBUG = False  # in development too: what is tried out is what will run

DATA_DIR = Path(env.text("LATCHKEY_DATA_DIR", "./var")).resolve()
DATABASE_URL = env.text("DATABASE_URL", "")
DATABASES = {
    "default": connection_settings(
        DATABASE_URL or f"sqlite:///{quote(str(private_directory(DATA_DIR) / 'latchkey.sqlite3'))}"
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SECRET_KEY = env.text("LATCHKEY_SECRET_KEY", "")
if not SECRET_KEY and PRODUCTION:
    raise ImproperlyConfigured(
        "LATCHKEY_SECRET_KEY is not set; in production it must be, to 50 random characters or more."
    )
SECRET_KEY = SECRET_KEY or secret_in(private_directory(DATA_DIR) / "secret")
SECRET_KEY_FALLBACKS = env.words("LATCHKEY_SECRET_KEY_FALLBACKS", [])
SIGNING_ALGORITHM = env.choice("LATCHKEY_SIGNING_ALGORITHM", "HS256", "EdDSA", "ES256", "RS256")

PUBLIC_URL = env.text("LATCHKEY_PUBLIC_URL", "" if PRODUCTION else "http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.words("LATCHKEY_ALLOWED_HOSTS", [] if PRODUCTION else ["127.0.0.1", "localhost", "[::1]"])
CORS_ALLOWED_ORIGINS = env.words("LATCHKEY_CORS_ORIGINS", [])
TRUSTED_PROXIES = env.count("LATCHKEY_TRUSTED_PROXIES", 0)
BROWSABLE_API = env.switch("LATCHKEY_BROWSABLE_API", True)
API_DOCS = env.switch("LATCHKEY_API_DOCS", True)
METRICS_ADDRESS = env.address("LATCHKEY_METRICS_ADDRESS")
METRICS_FOR_ALL = not (PRODUCTION or METRICS_ADDRESS)  # on the main address, where strangers would read them
TRACING = bool(env.text("OTEL_EXPORTER_OTLP_ENDPOINT", "") or env.text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ""))
ADMIN_EMAIL = env.text("LATCHKEY_ADMIN_EMAIL", "")
ADMIN_PASSWORD = env.text("LATCHKEY_ADMIN_PASSWORD", "")
MAIL_SERVER = mail_server(env.text("EMAIL_URL", "" if PRODUCTION else "console://"))
MAIL_FROM = sender(env.text("LATCHKEY_EMAIL_FROM", ""), PUBLIC_URL)
MAIL_LANGUAGE = env.text("LATCHKEY_MAIL_LANGUAGE", "") or "en"
TEMPLATES_DIR = env.text("LATCHKEY_TEMPLATES_DIR", "")

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
    "latchkey.web.middleware.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "latchkey.urls"
WSGI_APPLICATION = "latchkey.wsgi.application"
APPEND_SLASH = False  # a redirect would lose the body of a POST
CSRF_FAILURE_VIEW = "latchkey.web.problems.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
TEMPLATES = template_engines(TEMPLATES_DIR, PACKAGE / "templates")
STATIC_URL = "/static/"
STATICFILES_DIRS = [PACKAGE / "static"]
WHITENOISE_USE_FINDERS = True  # serve from the packages: no collectstatic step, no folder to keep

REST_FRAMEWORK = rest_framework_settings(BROWSABLE_API)
SPECTACULAR_SETTINGS = SPECTACULAR
USE_I18N = MAIL_LANGUAGE != "en"  # for mails alone: all else stays as the contract has it
LOCALE_PATHS = [Path(TEMPLATES_DIR) / "locale"] if TEMPLATES_DIR else []
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "latchkey.admin.formats"

AUTH_USER_MODEL = "latchkey.User"
PASSWORD_HASHERS = [
    "latchkey.hashing.argon2.Argon2id",
    "latchkey.hashing.legacy.PBKDF2",
    "latchkey.hashing.legacy.PBKDF2SHA1",
    "latchkey.hashing.legacy.PBKDF2PHC",
    "latchkey.hashing.legacy.PBKDF2SHA512PHC",
    "latchkey.hashing.legacy.Scrypt",
    "latchkey.hashing.legacy.ScryptPHC",
    "latchkey.hashing.legacy.BCrypt",
    "latchkey.hashing.legacy.BCryptSHA256",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "latchkey.accounts.password_validation.LengthValidator"},
    {"NAME": "latchkey.accounts.password_validation.BlocklistValidator"},
    {
        "NAME": "latchkey.accounts.password_validation.ObviousValidator",
        "OPTIONS": {"words": ["latchkey", PUBLIC_URL.rpartition("://")[2]]},
    },
]
POLICY_DEFAULTS = Policy(password_min_length=15, password_blocklist=True) if PRODUCTION else Policy()
CONSTANCE_BACKEND = "latchkey.conf.policy_backend.PolicyTable"
CONSTANCE_CONFIG, CONSTANCE_CONFIG_FIELDSETS, CONSTANCE_ADDITIONAL_FIELDS = constance_settings(POLICY_DEFAULTS)

LOGIN_REDIRECT_URL = "/admin/"
SESSION_COOKIE_AGE = 8 * 60 * 60  # the admin's cookie, in seconds
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_NAME = "__Host-sessionid" if PRODUCTION else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if PRODUCTION else "csrftoken"
SECURE_HSTS_SECONDS = 63_072_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # SECURE_SSL_REDIRECT is off: the proxy redirects people, and the API must not (ASVS 4.1.2)
]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
X_FRAME_OPTIONS = "DENY"

LOGGING = logging_settings(PRODUCTION)
