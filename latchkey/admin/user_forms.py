"""Forms of the user pages in the admin area: add a user, change one, and change passwords."""

from typing import Any

from django.contrib.auth.forms import (
    BaseUserCreationForm,
    ReadOnlyPasswordHashField,
    ReadOnlyPasswordHashWidget,
    UserChangeForm,
)
from django.db import transaction
from unfold.forms import AdminOwnPasswordChangeForm, AdminPasswordChangeForm
from unfold.widgets import UnfoldAdminPasswordWidget

from latchkey.accounts.models import ADMINISTRATOR_FLAGS, User
from latchkey.admin.reauthentication import check_password_again
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import LastSuperuser


class AddUserForm(BaseUserCreationForm):  # type: ignore[type-arg]  # not generic at run time
    """A new user with a password, which is validated as at registration."""

    class Meta:
        model = User
        fields = ("email", "username")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("password1", "password2"):
            self.fields[name].widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})


class PasswordWidget(ReadOnlyPasswordHashWidget):
    """A link to the password form, instead of Django's summary of the hash."""

    template_name = "latchkey/password_link.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Keep the hash out of the template."""
        return super().get_context(name, None, attrs)


class ChangeUserForm(UserChangeForm):  # type: ignore[type-arg]  # not generic at run time
    """Change a user; fields that the operator did not touch are not saved."""

    password = ReadOnlyPasswordHashField(
        widget=PasswordWidget, help_text="A new password signs the user out on every device."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Add the initial values as hidden fields, to compare with: the row may change while the page is open."""
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = not field.disabled

    def clean(self) -> dict[str, Any]:
        """Refuse to demote or deactivate the last active superuser, beside the box that was unticked."""
        cleaned = dict(super().clean() or {})
        unticked = [name for name in sorted(ADMINISTRATOR_FLAGS) if cleaned.get(name) is False]
        if unticked:
            try:
                with transaction.atomic():
                    User.objects.keep_an_administrator([self.instance.pk])
            except LastSuperuser as refusal:
                for name in set(unticked).intersection(self.changed_data):
                    self.add_error(name, refusal.detail)
        return cleaned


class SavePasswordOnly:
    """Save the password column only: a user who is deactivated while the password is hashed stays deactivated."""

    cleaned_data: dict[str, Any]

    def set_password_and_save(self, user: User, *names: str, **kwargs: Any) -> User:
        """Hash and save the new password; Django's forms pass the name of its field, or nothing."""
        (name,) = names or ("password1",)
        user.set_password(self.cleaned_data[name])
        user.save(update_fields=["password"])
        return user


class ChangePasswordForm(SavePasswordOnly, AdminPasswordChangeForm):
    """Set the password of a user; without Django's option of no password, as there is no other way to sign in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("usable_password", None)


class OwnPasswordForm(SavePasswordOnly, AdminOwnPasswordChangeForm):
    """Change one's own password; the current one is required, under the same limits on attempts as a sign-in."""

    def __init__(self, user: User, *args: Any, client: ClientInfo, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.client = client

    def clean_old_password(self) -> str:
        """Check the current password; raises ValidationError for a wrong one and after too many attempts."""
        password: str = self.cleaned_data["old_password"]
        check_password_again(self.user, password, self.client)
        self.user.changed_by = self.client
        return password
