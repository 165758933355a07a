"""The pages that links in mails lead to, each with a button that confirms an address."""

from collections.abc import Mapping
from typing import Any

from latchkey.core.client import ClientInfo
from latchkey.email_addresses.change import confirm_email_change
from latchkey.email_addresses.verify import verify_email
from latchkey.email_codes.models import Purpose
from latchkey.email_codes.redeem import Submitted, lookup
from latchkey.web.pages import EmailLinkPage


class VerifyEmailPage(EmailLinkPage):
    template_name = "latchkey/verify_email.html"

    def preview(self, token: str, client: ClientInfo) -> Mapping[str, Any]:
        return {"email": lookup(Purpose.EMAIL_VERIFICATION, Submitted(token), client).email}

    def perform(self, fields: Mapping[str, Any], client: ClientInfo) -> None:
        verify_email(Submitted(fields["token"]), client)


class ConfirmEmailPage(EmailLinkPage):
    template_name = "latchkey/confirm_email.html"

    def preview(self, token: str, client: ClientInfo) -> Mapping[str, Any]:
        return {"email": lookup(Purpose.EMAIL_CHANGE, Submitted(token), client).new_email}

    def perform(self, fields: Mapping[str, Any], client: ClientInfo) -> None:
        confirm_email_change(Submitted(fields["token"]), client)
