"""Pages that links in mails lead to, each with one button, and a page that sends the mail of a verification again."""

from collections.abc import Mapping
from typing import Any

from latchkey.accounts.models import User
from latchkey.core.client import ClientInfo
from latchkey.email_addresses.change import confirm_email_change
from latchkey.email_addresses.verify import request_verification, verify_email
from latchkey.email_codes.models import Purpose
from latchkey.email_codes.one_time_codes import Submitted, lookup
from latchkey.email_codes.pages import OneTimeLinkPage, RequestMailPage


class VerifyEmailPage(OneTimeLinkPage):
    """/verify-email/?token=...: a button that verifies the address of an account."""

    purpose = Purpose.EMAIL_VERIFICATION
    template_name = "latchkey/verify_email.html"

    def preview(self, token: str, client: ClientInfo) -> Mapping[str, Any]:
        """Return the address; raises InvalidCode or TooManyAttempts."""
        return {"email": lookup(self.purpose, Submitted(token), client).email}

    def perform(self, fields: Mapping[str, Any], client: ClientInfo) -> None:
        """Verify the address; raises InvalidCode or TooManyAttempts."""
        verify_email(Submitted(fields["token"]), client)

    def is_done(self, owner: User) -> bool:
        return owner.email_verified_at is not None


class ResendVerificationPage(RequestMailPage):
    """/verify-email/resend/: the answer is the same for every address, as at POST /api/email/verify/resend/."""

    template_name = "latchkey/resend_verification.html"

    def perform(self, fields: Mapping[str, Any], client: ClientInfo) -> None:
        """Send the mail; raises TooManyAttempts."""
        request_verification(fields["email"], client, fields["redirect_to"])


class ConfirmEmailPage(OneTimeLinkPage):
    """/confirm-email/?token=...: a button that gives an account its new address."""

    purpose = Purpose.EMAIL_CHANGE
    template_name = "latchkey/confirm_email.html"

    def preview(self, token: str, client: ClientInfo) -> Mapping[str, Any]:
        """Return the new address; raises InvalidCode or TooManyAttempts."""
        return {"email": lookup(self.purpose, Submitted(token), client).new_email}

    def perform(self, fields: Mapping[str, Any], client: ClientInfo) -> None:
        """Change the address; raises InvalidCode, EmailTaken or TooManyAttempts."""
        confirm_email_change(Submitted(fields["token"]), client)

    def is_done(self, owner: User) -> bool:
        return True  # the account has the address that the link was sent to
