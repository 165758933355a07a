"""The overview of the account pages: which second factors and API keys the account has, and what can be done."""

from typing import Any

from latchkey.account_pages.access import SignedInPage
from latchkey.api_keys.manage import list_keys
from latchkey.core import clock
from latchkey.core.exceptions import ApiError, EmailNotVerified, EnrolmentClosed
from latchkey.factors import recovery_codes
from latchkey.factors.enrolment_rules import must_verify_address, require_open_enrolment
from latchkey.factors.models import TotpSecret
from latchkey.passkeys.manage import list_passkeys


class SecurityPage(SignedInPage):
    """/account/security/: the authenticator app, passkeys, recovery codes and API keys, without their secrets."""

    http_method_names = ["get", "head"]
    needs_recent_proof = False
    template_name = "latchkey/account/security.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        left = recovery_codes.count(self.user.pk)
        return super().get_context_data(
            authenticator=TotpSecret.objects.filter(user=self.user, confirmed_at__isnull=False).first(),
            passkeys=list_passkeys(self.user.pk),
            codes_left=left,
            few_codes=left <= recovery_codes.LOW,
            closed=self._enrolment_error(),
            api_keys=list_keys(self.user.pk),
            may_create_key=not must_verify_address(self.user),
            now=clock.now(),
            **kwargs,
        )

    def _enrolment_error(self) -> ApiError | None:
        """Return why this account cannot set up a factor; None if it can."""
        try:
            require_open_enrolment(self.user)
        except (EnrolmentClosed, EmailNotVerified) as error:
            return error
        return None
