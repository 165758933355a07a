"""A backend of an operator who lets nobody in."""

from typing import Any, NoReturn

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied


class DenyingBackend(ModelBackend):
    def authenticate(self, request: Any, **credentials: Any) -> NoReturn:
        raise PermissionDenied
