"""The forms of the users' pages."""

from typing import Any

from django.contrib.auth.forms import (
    BaseUserCreationForm,
    ReadOnlyPasswordHashField,
    ReadOnlyPasswordHashWidget,
    UserChangeForm,
)
from django.core.exceptions import ValidationError
from unfold.forms import AdminOwnPasswordChangeForm, AdminPasswordChangeForm
from unfold.widgets import UnfoldAdminPasswordWidget

from latchkey.accounts.models import User
from latchkey.accounts.reauthentication import reauthenticate
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import TooManyAttempts, WrongPassword
from latchkey.rate_limits.attempts import refund


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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Have the page remember what it showed: that tells what an operator changed from what they left alone."""
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = not field.disabled


class SavePasswordOnly:
    """Save the password and nothing else: who was deactivated while it was hashed stays so."""

    cleaned_data: dict[str, Any]

    def set_password_and_save(self, user: User, *names: str, **kwargs: Any) -> User:
        (name,) = names or ("password1",)  # of the field
        user.set_password(self.cleaned_data[name])
        user.save(update_fields=["password"])
        return user


class ChangePasswordForm(SavePasswordOnly, AdminPasswordChangeForm):
    """Without the choice to have no password: there is no other way to sign in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("usable_password", None)


class OwnPasswordForm(SavePasswordOnly, AdminOwnPasswordChangeForm):
    """An operator's own: the present password is asked for under the same limits as at a sign-in."""

    def __init__(self, user: User, *args: Any, client: ClientInfo, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.client = client

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        try:
            refund(reauthenticate(self.user, password, self.client))
        except WrongPassword as refusal:
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect") from refusal
        except TooManyAttempts as refusal:
            raise ValidationError(retry_message(refusal), code=refusal.code) from refusal
        self.user.acting = self.client
        return password


def retry_message(refusal: TooManyAttempts) -> str:
    """Say how long somebody has to wait before they are looked at again."""
    return f"Too many attempts; try again in {refusal.headers['Retry-After']} s."
