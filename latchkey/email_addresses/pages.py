"""Pages that links in mails lead to, each with one button: /verify-email/ and /confirm-email/."""

from collections.abc import Mapping
from typing import Any

from latchkey.core.client import ClientInfo
from latchkey.email_addresses.change import confirm_email_change
from latchkey.email_addresses.verify import verify_email
from latchkey.email_codes.models import Purpose
from latchkey.email_codes.one_time_codes import Submitted, lookup
from latchkey.web.pages import EmailLinkPage


class VerifyEmailPage(EmailLinkPage):
    """/verify-email/?token=...: a button that verifies the address of an account."""

    template_name = "latchkey/verify_email.html"

    def preview(self, token: str, client: ClientInfo) -> Mapping[str, Any]:
        """Return the address; raises InvalidCode or TooManyAttempts."""
        return {"email": lookup(Purpose.EMAIL_VERIFICATION, Submitted(token), client).email}

    def redirect_to(self, fields: Mapping[str, Any], client: ClientInfo) -> str | None:
        return lookup(Purpose.EMAIL_VERIFICATION, Submitted(fields["token"]), client).redirect_to

    def perform(self, fields: Mapping[str, Any], client: ClientInfo) -> None:
        """Verify the address; raises InvalidCode or TooManyAttempts."""
        verify_email(Submitted(fields["token"]), client)


class ConfirmEmailPage(EmailLinkPage):
    """/confirm-email/?token=...: a button that gives an account its new address."""

    template_name = "latchkey/confirm_email.html"

    def preview(self, token: str, client: ClientInfo) -> Mapping[str, Any]:
        """Return the new address; raises InvalidCode or TooManyAttempts."""
        return {"email": lookup(Purpose.EMAIL_CHANGE, Submitted(token), client).new_email}

    def redirect_to(self, fields: Mapping[str, Any], client: ClientInfo) -> str | None:
        return lookup(Purpose.EMAIL_CHANGE, Submitted(fields["token"]), client).redirect_to

    def perform(self, fields: Mapping[str, Any], client: ClientInfo) -> None:
        """Change the address; raises InvalidCode, EmailTaken or TooManyAttempts."""
        confirm_email_change(Submitted(fields["token"]), client)
