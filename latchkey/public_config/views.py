"""Configuration endpoint: GET /api/config/, for front ends that draw a sign-in page before anybody signs in."""

from typing import Any

from django.conf import settings
from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.conf.policy import Policy, current_policy
from latchkey.conf.site import current_site
from latchkey.core.exceptions import PASSWORD_MAX_LENGTH
from latchkey.public_config.serializers import ConfigOutput
from latchkey.web.access import PUBLIC
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import operation

MAX_AGE = 60
"""Seconds for which a client or a proxy may keep the answer; a changed setting is seen after as many."""


def sign_in_methods() -> list[str]:
    """Return the ways of signing in that this server offers; passkeys need a domain (LATCHKEY_PASSKEY_RP_ID)."""
    return ["password", *(["passkey"] if settings.PASSKEY_RP_ID else [])]


def public_config(policy: Policy) -> dict[str, Any]:
    """Return the part of the configuration that anybody may know, as every form for sign-in shows it anyway."""
    return {
        "site_name": current_site(policy).name,
        "registration_open": policy.registration_open,
        "email_verification": policy.email_verification,
        "sign_in_methods": sign_in_methods(),
        "second_factor": policy.second_factor,
        "recovery_delay": policy.recovery_delay,
        "password": {
            "min_length": policy.password_min_length,
            "max_length": PASSWORD_MAX_LENGTH,
            "blocklist": policy.password_blocklist,
        },
        "tokens": {
            "access_token_lifetime": int(policy.access_token_lifetime.total_seconds()),
            "refresh_token_lifetime": int(policy.refresh_token_lifetime.total_seconds()),
            "retry_window": int(policy.retry_window.total_seconds()),
        },
    }


@method_decorator(conditional_page, name="dispatch")
class ConfigView(ApiView):
    """Read what a front end has to know before anybody signs in: password rules, open registration, lifetimes.

    The answer is public and may be cached for a minute. It has an `ETag`; send it back as `If-None-Match`.
    """

    access = PUBLIC
    cache_control = f"public, max-age={MAX_AGE}"

    @operation(
        "read_config",
        "Read the public configuration",
        None,
        {200: ConfigOutput},
        response_example=public_config(Policy())
        | {"site_name": "auth.example.com", "sign_in_methods": ["password", "passkey"]},
        response_headers={"Cache-Control": "For how long the answer may be kept.", "ETag": "Version of the answer."},
        links={
            "register": {"description": "Show the password rules, and the form only if registration is open."},
            "login": {"description": "Show the ways of signing in."},
            "request_factor_recovery": {"description": "Offer it unless recovery_delay is 0."},
            "cancel_factor_recovery": {"description": "The same; the token is in the mails."},
            "confirm_factor_recovery": {"description": "The same; the token and the code are in the last mail."},
        },
    )
    def get(self, request: Request) -> Response:
        return Response(ConfigOutput(public_config(current_policy())).data)
