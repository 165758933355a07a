"""Page of the recovery codes: makes new ones, and shows them once."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse

from latchkey.account_pages.access import SignedInPage
from latchkey.core.client import ClientInfo
from latchkey.factors import own_factors


class RecoveryCodesPage(SignedInPage):
    """/account/security/recovery-codes/: asks once more, then shows ten new codes, to be printed or written down."""

    template_name = "latchkey/account/recovery_codes.html"

    def answer(self, fields: Mapping[str, Any], client: ClientInfo) -> HttpResponse:
        """Replace the codes; raises NoSecondFactor, or InvalidToken where another change was faster."""
        codes = own_factors.renew_recovery_codes(self.caller, client)
        self.keep_signed_in()
        return self.show_codes(codes)
