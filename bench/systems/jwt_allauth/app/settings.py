"""django-jwt-allauth by its documentation: Installation for existing projects, Settings."""

import os
from datetime import timedelta

from equal_terms import ALLOWED_HOSTS, DATABASES, PASSWORD_HASHERS, SECRET_KEY  # noqa: F401

DEBUG = False
INSTALLED_APPS = [
    "django.contrib.admin",  # it imports allauth's admin pages, and so these
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "jwt_allauth",
    "rest_framework",
    "rest_framework.authtoken",
    "allauth",
    "allauth.account",
]
MIDDLEWARE = [  # those of its own `jwt-allauth startproject`
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_USER_MODEL = "jwt_allauth.JAUser"
AUTHENTICATION_BACKENDS = (
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
)
ROOT_URLCONF = "app.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

REST_FRAMEWORK = {"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]}
ACCOUNT_RATE_LIMITS = False  # counted in the process alone as it ships, and the bench has one address only

JWT_ALLAUTH_SECRET_KEY = os.environ["BENCH_SECRET_KEY"]  # its signing is HS256 unless a project configures more
JWT_ALLAUTH_ACCESS_TOKEN_LIFETIME = timedelta(seconds=30)
JWT_ALLAUTH_REFRESH_TOKEN_LIFETIME = timedelta(days=30)
JWT_ALLAUTH_REFRESH_TOKEN_AS_COOKIE = False  # in the body, for a client that is no browser
