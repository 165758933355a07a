"""A Django authentication backend that denies every sign-in with PermissionDenied."""

from typing import Any, NoReturn

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied


class DenyingBackend(ModelBackend):
    def authenticate(
        self, request: Any, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> NoReturn:
        raise PermissionDenied
