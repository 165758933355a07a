"""Stale forms: a page opened long ago, or a slow request, does not overwrite changes that others made meanwhile."""

from typing import Any

import pytest

from latchkey.accounts.models import User
from latchkey.admin.user_forms import ChangePasswordForm, OwnPasswordForm
from latchkey.core.client import ClientInfo
from tests.people import PASSWORD, Person
from tests.support.admin_pages import Browser, form_data, user_page

NEW = "another long password of mine"
CONCURRENT_EDITS = {"email": "new@example.com", "username": "Alice", "is_active": False, "is_staff": False}


def unchanged_form(user_id: int) -> dict[str, Any]:
    return dict(User.objects.filter(pk=user_id).values(*CONCURRENT_EDITS).get())


@pytest.mark.parametrize(
    ("form", "typed"),
    [
        (ChangePasswordForm, dict.fromkeys(("password1", "password2"), NEW)),
        (OwnPasswordForm, {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}),
    ],
)
def test_password_forms_save_no_field_but_the_password(alice: Person, form: Any, typed: dict[str, str]) -> None:
    loaded = User.objects.get(pk=alice.id)
    known = {"client": ClientInfo()} if form is OwnPasswordForm else {}
    filled = form(loaded, typed, **known)
    assert filled.is_valid(), filled.errors
    User.objects.filter(pk=alice.id).update(**CONCURRENT_EDITS)  # while the password is hashed
    filled.save()
    assert unchanged_form(alice.id) == CONCURRENT_EDITS
    assert User.objects.get(pk=alice.id).check_password(NEW)


def test_admin_user_form_saves_only_the_edited_fields(admin: Browser, alice: Person) -> None:
    page = form_data(admin.get(user_page(alice.id)).context["adminform"].form)
    User.objects.filter(pk=alice.id).update(**CONCURRENT_EDITS)
    assert admin.post(user_page(alice.id), page | {"username": "Alice L."}).status_code == 302
    assert unchanged_form(alice.id) == CONCURRENT_EDITS | {"username": "Alice L."}


def test_admin_user_form_saved_unchanged_changes_nothing(admin: Browser, alice: Person) -> None:
    before = User.objects.filter(pk=alice.id).values().get()
    page = form_data(admin.get(user_page(alice.id)).context["adminform"].form)
    assert admin.post(user_page(alice.id), page).status_code == 302
    assert User.objects.filter(pk=alice.id).values().get() == before
    assert alice.me().status_code == 200
