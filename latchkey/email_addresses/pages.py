"""The pages that links in mails lead to, each with a button that confirms an address."""

from collections.abc import Mapping
from typing import Any

from latchkey.core.client import Client
from latchkey.email_addresses.change import confirm_change
from latchkey.email_addresses.verify import verify_email
from latchkey.email_codes.models import Purpose
from latchkey.email_codes.redeem import Presented, find
from latchkey.web.pages import LinkPage


class VerifyEmailPage(LinkPage):
    template_name = "latchkey/verify_email.html"

    def look(self, token: str, client: Client) -> Mapping[str, Any]:
        return {"email": find(Purpose.EMAIL_VERIFICATION, Presented(token), client).email}

    def act(self, fields: Mapping[str, Any], client: Client) -> None:
        verify_email(Presented(fields["token"]), client)


class ConfirmEmailPage(LinkPage):
    template_name = "latchkey/confirm_email.html"

    def look(self, token: str, client: Client) -> Mapping[str, Any]:
        return {"email": find(Purpose.EMAIL_CHANGE, Presented(token), client).new_email}

    def act(self, fields: Mapping[str, Any], client: Client) -> None:
        confirm_change(Presented(fields["token"]), client)
