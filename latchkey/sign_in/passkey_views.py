"""Endpoints of the sign-in with a passkey: options, and the answer of the authenticator."""

from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.passkeys.serializers import CeremonyOutput
from latchkey.passkeys.views import CLIENT_DATA, CREATION_OPTIONS, CREDENTIAL_ID, NEW_PASSKEY
from latchkey.sessions.authentication import access_token_of
from latchkey.sessions.serializers import TokenPairOutput
from latchkey.sessions.views import PAIR
from latchkey.sign_in.enrolment_views import RECOVERY_CODES
from latchkey.sign_in.passkey import (
    begin_passkey_second_factor,
    begin_passkey_sign_in,
    begin_passkey_step_up,
    sign_in_with_passkey,
)
from latchkey.sign_in.passkey_enrolment import begin_passkey_enrolment, enrol_passkey
from latchkey.sign_in.serializers import EnrolledOutput, EnrolPasskeyInput, PasskeySignInInput, TicketInput
from latchkey.sign_in.views import TICKET
from latchkey.web.access import PUBLIC
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import USE_ACCESS_TOKEN, Link, operation

OPTIONS = {
    "challenge": "bm90IGEgY2hhbGxlbmdlIG9mIGFueWJvZHk",
    "timeout": 300000,
    "rpId": "auth.example.com",
    "allowCredentials": [],
    "userVerification": "required",
}
ALLOWED = [{"type": "public-key", "id": CREDENTIAL_ID, "transports": ["internal"]}]
SAME_TICKET: Link = {"requestBody": {"ticket": "$response.body#/ticket"}}
OWN_OPTIONS = {**OPTIONS, "allowCredentials": ALLOWED, "userVerification": "preferred"}
PASSKEY = {
    "id": CREDENTIAL_ID,
    "rawId": CREDENTIAL_ID,
    "type": "public-key",
    "response": {
        "clientDataJSON": CLIENT_DATA,
        "authenticatorData": "SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MdAAAAAA",
        "signature": "MEUCIQD",
        "userHandle": "c29tZSByYW5kb20gYnl0ZXM",
    },
}


class PasskeySignInOptionsView(ApiView):
    """Options for a sign-in with a passkey, without an e-mail address; a new challenge each time."""

    access = PUBLIC

    @operation(
        "login_passkey_options",
        "Sign in with a passkey: options",
        None,
        {200: CeremonyOutput},
        response_example={"ticket": TICKET, "options": OPTIONS, "expires_in": 300},
        problems=[errors.TooManyAttempts, errors.NotFound],
        links={"login_passkey": SAME_TICKET},
    )
    def post(self, request: Request) -> Response:
        return Response(CeremonyOutput(begin_passkey_sign_in(client_info(request.META))).data)


class PasskeySignInView(ApiView):
    """Sign in with a passkey. It counts as two factors, because the authenticator has verified its user."""

    access = PUBLIC
    input_class = PasskeySignInInput

    @operation(
        "login_passkey",
        "Sign in with a passkey",
        PasskeySignInInput,
        {200: TokenPairOutput},
        request_example={"ticket": TICKET, "passkey": PASSKEY},
        response_example=PAIR,
        problems=[errors.InvalidTicket, errors.InvalidPasskey, errors.EmailNotVerified, errors.TooManyAttempts],
        returns_token_pair=True,
    )
    def post(self, request: Request) -> Response:
        given = self.validated(request)
        pair = sign_in_with_passkey(given["ticket"], given["passkey"], client_info(request.META))
        return Response(TokenPairOutput(pair).data)


class SecondFactorPasskeyOptionsView(ApiView):
    """Options for a passkey as the second factor of a sign-in that was answered 403 `second_factor_required`."""

    access = PUBLIC
    input_class = TicketInput

    @operation(
        "login_second_factor_passkey_options",
        "Sign in: options for a passkey as second factor",
        TicketInput,
        {200: CeremonyOutput},
        request_example={"ticket": TICKET},
        response_example={
            "ticket": TICKET,
            "options": OWN_OPTIONS,
            "expires_in": 300,
        },
        problems=[errors.InvalidTicket, errors.NotFound],
        links={"login_second_factor": SAME_TICKET},
    )
    def post(self, request: Request) -> Response:
        return Response(CeremonyOutput(begin_passkey_second_factor(self.validated(request)["ticket"])).data)


class StepUpPasskeyOptionsView(ApiView):
    """Options for one of your passkeys, to authenticate again with it at POST /api/step-up/."""

    @operation(
        "step_up_passkey_options",
        "Authenticate again: options for a passkey",
        None,
        {200: CeremonyOutput},
        response_example={"ticket": TICKET, "options": OWN_OPTIONS, "expires_in": 300},
        problems=[errors.NotFound],
        after_token_pair=USE_ACCESS_TOKEN,
        links={"step_up": {**SAME_TICKET, **USE_ACCESS_TOKEN}},
    )
    def post(self, request: Request) -> Response:
        return Response(CeremonyOutput(begin_passkey_step_up(access_token_of(request).user_id)).data)


class BeginPasskeyEnrolmentView(ApiView):
    """Get options for a new passkey, with the ticket of a sign-in that was answered 403 with `enrol`."""

    access = PUBLIC
    input_class = TicketInput

    @operation(
        "login_begin_passkey",
        "Sign in: begin to add a passkey",
        TicketInput,
        {200: CeremonyOutput},
        request_example={"ticket": TICKET},
        response_example={"ticket": TICKET, "options": CREATION_OPTIONS, "expires_in": 300},
        problems=[errors.InvalidTicket, errors.NotFound],
        links={"login_enrol_passkey": SAME_TICKET},
    )
    def post(self, request: Request) -> Response:
        return Response(CeremonyOutput(begin_passkey_enrolment(self.validated(request)["ticket"])).data)


class EnrolPasskeyView(ApiView):
    """Add the passkey, and finish the sign-in."""

    access = PUBLIC
    input_class = EnrolPasskeyInput

    @operation(
        "login_enrol_passkey",
        "Sign in: add the passkey",
        EnrolPasskeyInput,
        {200: EnrolledOutput},
        request_example={"ticket": TICKET, "name": "Phone", "passkey": NEW_PASSKEY},
        response_example={**PAIR, "recovery_codes": RECOVERY_CODES},
        problems=[errors.InvalidPasskey, errors.InvalidTicket],
        returns_token_pair=True,
    )
    def post(self, request: Request) -> Response:
        given = self.validated(request)
        enrolled = enrol_passkey(given["ticket"], given["passkey"], given["name"], client_info(request.META))
        pair = {"access_token": enrolled.pair.access_token, "refresh_token": str(enrolled.pair.refresh_token)}
        return Response({**pair, "recovery_codes": enrolled.recovery_codes})
