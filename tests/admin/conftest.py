"""Operators of the tests: each has a browser of their own, and signs in at the admin's own door."""

from collections.abc import Callable

import httpx
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType

from tests.admin.pages import Browser, sign_in
from tests.people import PASSWORD

SUPERUSER_EMAIL = "boss@example.com"


@pytest.fixture
def admin(http: httpx.Client) -> Browser:
    """The browser of a superuser."""
    ContentType.objects.clear_cache()  # it remembers rows of the last test, which were rolled back
    get_user_model().objects.create_superuser(SUPERUSER_EMAIL, PASSWORD)
    return sign_in(SUPERUSER_EMAIL)


@pytest.fixture
def staff(http: httpx.Client) -> Callable[..., Browser]:
    """Make a member of staff with these permissions and return their browser: staff("view_user")."""

    def make(*permissions: str) -> Browser:
        clerk = get_user_model().objects.create_user("clerk@example.com", PASSWORD, is_staff=True)
        ours = Permission.objects.exclude(content_type__app_label="sessions")  # Django has a session of its own
        clerk.user_permissions.set(ours.filter(codename__in=permissions))
        return sign_in("clerk@example.com")

    return make
