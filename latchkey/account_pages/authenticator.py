"""Pages of the authenticator app: set it up, and remove it.

The secret that is being set up stands in the browser session, encrypted, so that the page can be loaded again. It is
not read back from the account: another browser, of somebody who knows the password, must not see it.
"""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from latchkey.account_pages.access import ButtonForm, SignedInPage, app_to_scan
from latchkey.account_pages.forms import CodeForm
from latchkey.core.client import ClientInfo
from latchkey.core.crypto import Encryptor
from latchkey.core.exceptions import NotFound
from latchkey.factors import own_factors
from latchkey.tokens.authentication_methods import Proof

ENTRY = "authenticator"
ENCRYPTION = Encryptor("browser authenticator enrolment")


class AuthenticatorPage(SignedInPage):
    """/account/security/authenticator/: a QR code and a field for the code; before that, a button to begin."""

    template_name = "latchkey/account/authenticator.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**_current_enrolment(self.request), **kwargs)

    def get_form_class(self) -> type[forms.Form]:
        return ButtonForm if self.request.method == "POST" and "code" not in self.request.POST else CodeForm

    def answer(self, fields: Mapping[str, Any], client: ClientInfo) -> HttpResponse:
        return self.confirm(fields["code"], client) if "code" in fields else self.begin()

    def begin(self) -> HttpResponse:
        """Store a new secret, and lead to the page that shows it; raises EnrolmentClosed, TotpExists and the like."""
        self.request.session.pop(ENTRY, None)
        begun = own_factors.begin_totp(self.caller)
        secret = json.dumps([begun.secret, begun.uri]).encode()
        self.request.session[ENTRY] = ENCRYPTION.encrypt(secret).decode()
        return self.go("account-authenticator")

    def confirm(self, code: str, client: ClientInfo) -> HttpResponse:
        """Make the app a factor, and show recovery codes if there were none; raises InvalidFactorCode."""
        codes = own_factors.confirm_totp(self.caller, code, client)
        self.request.session.pop(ENTRY, None)
        self.keep_signed_in(Proof.TOTP)
        if not codes:
            return self.done("Your authenticator app is set up. You are signed out everywhere else.")
        return self.show_codes(codes, is_new_factor=True)


def _current_enrolment(request: HttpRequest) -> dict[str, str]:
    """Return what the page shows of the secret that is being set up; {} if this browser has not begun."""
    stored = request.session.get(ENTRY)
    plain = ENCRYPTION.decrypt(stored.encode()) if isinstance(stored, str) else None
    if plain is None:
        return {}
    secret, uri = json.loads(plain)
    return app_to_scan(secret, uri)


class RemoveAuthenticatorPage(SignedInPage):
    """/account/security/authenticator/remove/: asks once more, and removes the authenticator app."""

    template_name = "latchkey/account/remove_authenticator.html"

    def answer(self, fields: Mapping[str, Any], client: ClientInfo) -> HttpResponse:
        try:
            own_factors.remove_totp(self.caller, client)
        except NotFound:  # removed meanwhile, in another window
            return self.go("account-security")
        self.keep_signed_in()
        return self.done("Your authenticator app is removed. You are signed out everywhere else.")
