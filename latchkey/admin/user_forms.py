"""The forms of the users' pages."""

from typing import Any

from django.contrib.auth.forms import (
    BaseUserCreationForm,
    ReadOnlyPasswordHashField,
    ReadOnlyPasswordHashWidget,
    UserChangeForm,
)
from unfold.forms import AdminPasswordChangeForm
from unfold.widgets import UnfoldAdminPasswordWidget

from latchkey.accounts.models import User


class AddUserForm(BaseUserCreationForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = User
        fields = ("email", "username")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("password1", "password2"):
            self.fields[name].widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})


class PasswordWidget(ReadOnlyPasswordHashWidget):
    """A link to the form that sets another password, without Django's summary of the hash."""

    template_name = "latchkey/password_link.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Keep the hash itself from the template."""
        return super().get_context(name, None, attrs)


class ChangeUserForm(UserChangeForm):  # type: ignore[type-arg]  # not generic at run time
    password = ReadOnlyPasswordHashField(widget=PasswordWidget, help_text="A new one ends every session of the user.")


class ChangePasswordForm(AdminPasswordChangeForm):
    """Without the choice to have no password: there is no other way to sign in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("usable_password", None)
