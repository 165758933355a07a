"""Sign-in form of the admin area, with the same limits on attempts as /api/login/."""

from typing import Any

from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm

from latchkey.accounts.models import normalize_for_lookup
from latchkey.admin.factor_forms import retry_message
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core.client import client_info
from latchkey.core.exceptions import TooManyAttempts
from latchkey.rate_limits.attempts import Charge, charge, raise_if_device_is_hidden
from latchkey.rate_limits.keys import login_key


class SignInForm(AuthenticationForm):
    """E-mail address and password of active staff; what follows is `sign_in_pages.py`.

    Unknown address, wrong password, inactive account and an account that is not staff get the same message.
    """

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "No active staff account matches this e-mail address and password.",
    }
    charged: Charge | None = None
    """The attempt, of a valid form: who uses it refunds it."""

    def clean(self) -> dict[str, Any]:
        """Authenticate under the limits on attempts of a sign-in; raises ValidationError."""
        email, headers = self.cleaned_data.get("username"), self.request.META if self.request else {}
        if not email or not self.cleaned_data.get("password"):
            return dict(super().clean())
        client = client_info(headers)
        try:
            charged = charge(login_key(normalize_for_lookup(email), client), client)
            try:
                cleaned = dict(super().clean())
            except ValidationError:
                record(Event.ADMIN_LOGIN_FAILED, client)
                raise_if_device_is_hidden(charged, client)
                raise
        except TooManyAttempts as refusal:
            raise ValidationError(retry_message(refusal), code=refusal.code) from refusal
        self.charged = charged
        return cleaned
