"""Options for the authenticators of the account pages, as JSON for static/latchkey/passkeys.js.

The script sends the fields of its form, with the CSRF token. A ticket that stands in the browser session stays there.
"""

from dataclasses import asdict, replace
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.generic import View

from latchkey.account_pages.access import AREA
from latchkey.core.client import client_info
from latchkey.core.exceptions import ApiError, InvalidTicket, MethodNotAllowed, NotAuthenticated
from latchkey.passkeys.manage import Ceremony, begin_registration
from latchkey.sign_in.browser_session import browser_authentication
from latchkey.sign_in.browser_steps import current_step
from latchkey.sign_in.passkey import begin_passkey_second_factor, begin_passkey_sign_in, begin_passkey_step_up
from latchkey.sign_in.passkey_enrolment import begin_passkey_enrolment
from latchkey.web.problems import problem_response


class OptionsView(View):
    """What an authenticator is asked, as JSON; a new challenge each time, so that a form can be sent again."""

    http_method_names = ["post"]
    area = AREA
    """The pages of the sign-in that goes on in this browser."""

    def begin(self) -> Ceremony:
        """Return the options and their ticket; raises an ApiError."""
        raise NotImplementedError

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return problem_response(MethodNotAllowed(headers={"Allow": "POST"}))

    def user_id(self) -> int:
        """Return the id of who is signed in to this browser; raises NotAuthenticated."""
        if self.request.user.pk is None:
            raise NotAuthenticated
        return int(self.request.user.pk)

    def ticket(self) -> str:
        """Return the ticket of the sign-in that goes on in this browser; raises InvalidTicket."""
        step = current_step(self.request, self.area)
        if step is None:
            raise InvalidTicket
        return step.ticket

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            begun = self.begin()
        except ApiError as error:
            return problem_response(error)
        return JsonResponse(asdict(begun), headers={"Cache-Control": "no-store"})


class NewPasskeyOptionsView(OptionsView):
    """/account/security/passkeys/add/options/: for a new passkey of whoever is signed in."""

    def begin(self) -> Ceremony:
        return begin_registration(self.user_id(), browser_authentication(self.request))


class SignInOptionsView(OptionsView):
    """/account/sign-in/passkey/options/: for a sign-in with any passkey of the service."""

    def begin(self) -> Ceremony:
        return begin_passkey_sign_in(client_info(self.request.META))


class SecondFactorOptionsView(OptionsView):
    """/account/sign-in/second-factor/options/: for a passkey of the account whose password was right."""

    def begin(self) -> Ceremony:
        return replace(begin_passkey_second_factor(self.ticket()), ticket="")


class EnrolmentOptionsView(OptionsView):
    """/account/sign-in/set-up/passkey/options/: for the first passkey of an account that has to have a factor."""

    def begin(self) -> Ceremony:
        return replace(begin_passkey_enrolment(self.ticket()), ticket="")


class ConfirmOptionsView(OptionsView):
    """/account/confirm/options/: for a passkey of whoever is signed in."""

    def begin(self) -> Ceremony:
        return begin_passkey_step_up(self.user_id())
