"""django-oauth-toolkit by its documentation: Django REST Framework, Settings."""

from equal_terms import ALLOWED_HOSTS, DATABASES, PASSWORD_HASHERS, SECRET_KEY  # noqa: F401

DEBUG = False
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "oauth2_provider",
    "rest_framework",
]
MIDDLEWARE: list[str] = []  # its documentation asks for none where REST framework authenticates
ROOT_URLCONF = "app.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["oauth2_provider.contrib.rest_framework.OAuth2Authentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
OAUTH2_PROVIDER = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": 30,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 24 * 60 * 60,
    "ROTATE_REFRESH_TOKEN": True,
    # Shipped defaults. The first would end the session if a token is sent twice, and so that of every client that
    # refreshes in parallel. The second would store digests only. Neither changes the cost of a refresh.
    "REFRESH_TOKEN_REUSE_PROTECTION": False,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": False,
}
