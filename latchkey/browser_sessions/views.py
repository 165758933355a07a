"""Endpoints of browser sessions: each does as the endpoint of the API that answers a pair of tokens."""

from typing import Any, cast

from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.browser_sessions.cookie import expired_cookie_header, read_cookie, read_cookies
from latchkey.browser_sessions.fast_path import BROWSER_LOGIN, BROWSER_REFRESH, signed_in
from latchkey.browser_sessions.serializers import BrowserEnrolledOutput, BrowserTokenOutput, EmptyInput
from latchkey.conf.policy import current_policy
from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.passkeys.views import NEW_PASSKEY
from latchkey.passwords.change import change_password
from latchkey.passwords.serializers import ChangeInput
from latchkey.passwords.views import MIN_LENGTH, NEW_PASSWORD, PASSWORD_ERRORS
from latchkey.sessions.authentication import authentication_of
from latchkey.sessions.logout import end_replaced_sessions, logout
from latchkey.sessions.refresh import refresh
from latchkey.sessions.serializers import LogoutOutput
from latchkey.sessions.views import IDEMPOTENCY_KEY, PAIR, SIGNED_OUT
from latchkey.sign_in.enrolment import enrol_totp
from latchkey.sign_in.enrolment_views import RECOVERY_CODES
from latchkey.sign_in.factor_checks import FactorAnswer
from latchkey.sign_in.login import login
from latchkey.sign_in.passkey import sign_in_with_passkey
from latchkey.sign_in.passkey_enrolment import enrol_passkey
from latchkey.sign_in.passkey_views import PASSKEY
from latchkey.sign_in.second_factor import sign_in_with_second_factor
from latchkey.sign_in.serializers import (
    EnrolPasskeyInput,
    EnrolTotpInput,
    LoginInput,
    PasskeySignInInput,
    SecondFactorInput,
)
from latchkey.sign_in.views import TICKET
from latchkey.tokens.access_token import TokenPair
from latchkey.web.access import BROWSER, PERSON_IN_BROWSER
from latchkey.web.api_view import ApiView
from latchkey.web.input import is_json_utf8, read_idempotency_key
from latchkey.web.openapi.operation import operation

TOKEN = {"access_token": PAIR["access_token"], "expires_in": 30}


class BrowserView(ApiView):
    """An endpoint of browsers: it needs an allowed Origin and a body of type JSON, which no HTML form can send."""

    access = BROWSER

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "POST" and not is_json_utf8(request.META.get("CONTENT_TYPE", "")):
            raise errors.UnsupportedMediaType

    def signed_in(self, request: Request, pair: TokenPair, **added: object) -> Response:
        """Return the access token, with the refresh token in the cookie; the session of the cookie before ends."""
        end_replaced_sessions(read_cookies(request.META), client_info(request.META))
        body, headers = signed_in(pair, current_policy())
        return Response({**body, **added}, headers=headers)


class BrowserLoginView(BrowserView):
    """Sign in with an e-mail address and a password, as POST /api/login/ does; the refresh token is in the cookie."""

    hashes_password = frozenset({"POST"})
    fast_handlers = {"POST": BROWSER_LOGIN}
    input_class = LoginInput

    @operation(
        "browser_login",
        "Sign in",
        LoginInput,
        {200: BrowserTokenOutput},
        request_example={"email": "user@example.com", "password": "password"},
        response_example=TOKEN,
        problems=[
            errors.InvalidCredentials,
            errors.SecondFactorRequired,
            errors.EnrolmentRequired,
            errors.TooManyAttempts,
        ],
    )
    def post(self, request: Request) -> Response:
        return self.signed_in(request, login(**self.validated(request), client=client_info(request.META)))


class BrowserSecondFactorView(BrowserView):
    """Finish a sign-in that was answered 403 `second_factor_required`: its ticket, and a second factor."""

    input_class = SecondFactorInput

    @operation(
        "browser_second_factor",
        "Sign in: second factor",
        SecondFactorInput,
        {200: BrowserTokenOutput},
        request_example={"ticket": TICKET, "code": "287082"},
        response_example=TOKEN,
        problems=[errors.InvalidFactorCode, errors.InvalidPasskey, errors.InvalidTicket, errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        given = self.validated(request)
        pair = sign_in_with_second_factor(given.pop("ticket"), FactorAnswer(**given), client_info(request.META))
        return self.signed_in(request, pair)


class BrowserPasskeyView(BrowserView):
    """Sign in with a passkey; its options are those of POST /api/login/passkey/options/."""

    input_class = PasskeySignInInput

    @operation(
        "browser_passkey",
        "Sign in with a passkey",
        PasskeySignInInput,
        {200: BrowserTokenOutput},
        request_example={"ticket": TICKET, "passkey": PASSKEY},
        response_example=TOKEN,
        problems=[errors.InvalidTicket, errors.InvalidPasskey, errors.EmailNotVerified, errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        given = self.validated(request)
        return self.signed_in(
            request, sign_in_with_passkey(given["ticket"], given["passkey"], client_info(request.META))
        )


class BrowserEnrolTotpView(BrowserView):
    """Confirm the authenticator app of POST /api/login/enrolment/totp/ by its first code, and finish the sign-in."""

    input_class = EnrolTotpInput

    @operation(
        "browser_enrol_totp",
        "Sign in: confirm the authenticator app",
        EnrolTotpInput,
        {200: BrowserEnrolledOutput},
        request_example={"ticket": TICKET, "code": "287082"},
        response_example={**TOKEN, "recovery_codes": RECOVERY_CODES},
        problems=[errors.InvalidFactorCode, errors.InvalidTicket, errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        enrolled = enrol_totp(**self.validated(request), client=client_info(request.META))
        return self.signed_in(request, enrolled.pair, recovery_codes=enrolled.recovery_codes)


class BrowserEnrolPasskeyView(BrowserView):
    """Add a passkey with the options of POST /api/login/enrolment/passkey/, and finish the sign-in."""

    input_class = EnrolPasskeyInput

    @operation(
        "browser_enrol_passkey",
        "Sign in: add the passkey",
        EnrolPasskeyInput,
        {200: BrowserEnrolledOutput},
        request_example={"ticket": TICKET, "name": "Phone", "passkey": NEW_PASSKEY},
        response_example={**TOKEN, "recovery_codes": RECOVERY_CODES},
        problems=[errors.InvalidPasskey, errors.InvalidTicket],
    )
    def post(self, request: Request) -> Response:
        given = self.validated(request)
        enrolled = enrol_passkey(given["ticket"], given["passkey"], given["name"], client_info(request.META))
        return self.signed_in(request, enrolled.pair, recovery_codes=enrolled.recovery_codes)


class BrowserRefreshView(BrowserView):
    """Exchange the refresh token in the cookie for a new access token; the cookie has the next refresh token.

    After a lost response send the same `Idempotency-Key` again, as at POST /api/refresh/. Without a cookie the answer
    is the same 401 as for one that is no longer valid: nobody is signed in.
    """

    fast_handlers = {"POST": BROWSER_REFRESH}
    input_class = EmptyInput

    @operation(
        "browser_refresh",
        "Refresh the access token",
        OpenApiTypes.OBJECT,
        {200: BrowserTokenOutput},
        request_example={},
        response_example=TOKEN,
        problems=[errors.InvalidRefreshToken, errors.TooManyAttempts],
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request) -> Response:
        self.validated(request)
        idempotency_key = read_idempotency_key(request.META)
        pair = refresh(read_cookie(request.META), client_info(request.META), idempotency_key)
        body, headers = signed_in(pair, current_policy())
        return Response(body, headers=headers)


class BrowserLogoutView(BrowserView):
    """End the session of the cookie and its access tokens, and delete the cookie. Idempotent, also without a cookie."""

    input_class = EmptyInput

    @operation(
        "browser_logout",
        "Sign out",
        OpenApiTypes.OBJECT,
        {200: LogoutOutput},
        request_example={},
        response_example=SIGNED_OUT,
        problems=[errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        self.validated(request)
        for token in read_cookies(request.META):
            logout(token, client_info(request.META))
        return Response(SIGNED_OUT, headers={"Set-Cookie": expired_cookie_header()})


class BrowserChangePasswordView(BrowserView):
    """Change your password, by giving the current one. Every session ends, and the cookie has that of a new one."""

    hashes_password = frozenset({"POST"})
    access = PERSON_IN_BROWSER
    input_class = ChangeInput

    @operation(
        "browser_change_password",
        "Change your password",
        ChangeInput,
        {200: BrowserTokenOutput},
        request_example={"current_password": "password", "new_password": NEW_PASSWORD},
        response_example=TOKEN,
        limits=MIN_LENGTH,
        problems=[errors.WrongPassword, *PASSWORD_ERRORS, errors.StepUpRequired, errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        pair = change_password(
            cast("int", request.user.pk),
            authentication_of(request),
            **self.validated(request),
            client=client_info(request.META),
        )
        return self.signed_in(request, pair)
