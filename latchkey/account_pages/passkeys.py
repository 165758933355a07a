"""Pages of passkeys: add one, rename it, remove it.

Only a script reaches an authenticator: static/latchkey/passkeys.js asks passkey_options.py, and puts the answer into
the form of the page, which is sent like any other.
"""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse

from latchkey.account_pages.access import SignedInPage
from latchkey.account_pages.forms import AddPasskeyForm, NameForm
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import NotFound
from latchkey.passkeys.manage import (
    finish_registration,
    list_passkeys,
    remove_passkey,
    rename_passkey,
)
from latchkey.passkeys.models import Passkey
from latchkey.sign_in.browser_session import browser_authentication
from latchkey.tokens.authentication_methods import Proof
from latchkey.web.problems import problem_response


class AddPasskeyPage(SignedInPage):
    """/account/security/passkeys/add/: a name, and a button that has the browser make a passkey."""

    template_name = "latchkey/account/add_passkey.html"
    form_class = AddPasskeyForm

    def answer(self, fields: Mapping[str, Any], client: ClientInfo) -> HttpResponse:
        """Store the passkey; raises InvalidTicket, InvalidPasskey or InvalidInput."""
        added = finish_registration(self.user.pk, None, fields["ticket"], fields["passkey"], fields["name"], client)
        self.keep_signed_in(Proof.PASSKEY | (Proof.USER_VERIFIED if added.passkey.user_verified else Proof.NONE))
        if not added.recovery_codes:
            return self.done("Your passkey is set up. You are signed out everywhere else.")
        return self.show_codes(added.recovery_codes, is_new_factor=True)


class OwnPasskeyPage(SignedInPage):
    """A page about one passkey of the user, whose id is in the path."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(passkey=self.passkey(), **kwargs)

    def passkey(self) -> Passkey | None:
        """Return the passkey; None if it is not one of this user."""
        return next((one for one in list_passkeys(self.user.pk) if str(one.pk) == self.kwargs["passkey_id"]), None)

    def find_missing(self) -> HttpResponse | None:
        missing = super().find_missing()
        return missing or (None if self.passkey() else problem_response(NotFound()))


class PasskeyPage(OwnPasskeyPage):
    """/account/security/passkeys/<id>/: another name for a passkey, which concerns nobody but its owner."""

    needs_recent_proof = False
    template_name = "latchkey/account/passkey.html"
    form_class = NameForm

    def get_initial(self) -> dict[str, Any]:
        passkey = self.passkey()
        return {"name": passkey.name if passkey else ""}

    def answer(self, fields: Mapping[str, Any], client: ClientInfo) -> HttpResponse:
        rename_passkey(self.user.pk, int(self.kwargs["passkey_id"]), fields["name"])
        return self.done("The passkey has its new name.")


class RemovePasskeyPage(OwnPasskeyPage):
    """/account/security/passkeys/<id>/remove/: asks once more, and removes a passkey."""

    template_name = "latchkey/account/remove_passkey.html"

    def answer(self, fields: Mapping[str, Any], client: ClientInfo) -> HttpResponse:
        """Remove the passkey; raises InvalidToken where another change was faster."""
        remove_passkey(self.user.pk, None, browser_authentication(self.request), int(self.kwargs["passkey_id"]), client)
        self.keep_signed_in()
        return self.done("The passkey is removed. You are signed out everywhere else.")
