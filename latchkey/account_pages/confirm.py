"""Confirmation that it is you: the page that asks for a password or a second factor before a change (step-up)."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect

from latchkey.account_pages.access import SignedInPage
from latchkey.account_pages.forms import ProofForm, factor_answer
from latchkey.core.client import ClientInfo
from latchkey.factors.available import available_factors
from latchkey.sign_in.browser_sign_in import step_up_browser


class ConfirmPage(SignedInPage):
    """/account/confirm/: an account without a second factor gives its password, any other its second factor."""

    hashes_password = frozenset({"POST"})
    needs_recent_proof = False
    template_name = "latchkey/account/confirm.html"
    form_class = ProofForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        factors = available_factors(self.user.pk) if self.user.second_factors else ["password"]
        return super().get_context_data(factors=factors, **kwargs)

    def answer(self, fields: Mapping[str, Any], client: ClientInfo) -> HttpResponse:
        """Note the proof, and go back; raises WrongPassword, InvalidFactorCode, InvalidPasskey or TooManyAttempts."""
        step_up_browser(self.request, self.user, fields["password"], factor_answer(fields), fields["ticket"])
        return HttpResponseRedirect(self.next_page())
