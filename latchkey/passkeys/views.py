"""Well-known documents that bind domains and apps to the passkeys; each is 404 while nothing is configured for it."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import conditional_page

from latchkey.conf.passkeys import related_origins
from latchkey.core.exceptions import NotFound
from latchkey.web.problems import problem_response
from latchkey.web.views import require_safe

MAX_AGE = 3_600
"""Seconds for which browsers and platforms may cache the documents."""

ANDROID_RELATIONS = ["delegate_permission/common.handle_all_urls", "delegate_permission/common.get_login_creds"]
"""What Android's Credential Manager asks of a site before an app may use its passkeys and passwords."""


@require_safe
@conditional_page
def webauthn_origins(request: HttpRequest) -> HttpResponse:
    """Return the origins on other domains that may use the passkeys (WebAuthn Level 3 section 5.11)."""
    origins = related_origins(settings.PASSKEY_RP_ID, settings.PASSKEY_ORIGINS)
    return _document({"origins": origins} if origins else None)


@require_safe
@conditional_page
def asset_links(request: HttpRequest) -> HttpResponse:
    """Return the Android apps that share the passkeys (Digital Asset Links)."""
    links = [
        {
            "relation": ANDROID_RELATIONS,
            "target": {
                "namespace": "android_app",
                "package_name": app.package,
                "sha256_cert_fingerprints": [app.fingerprint],
            },
        }
        for app in settings.ANDROID_APPS
    ]
    return _document(links or None)


@require_safe
@conditional_page
def apple_app_site_association(request: HttpRequest) -> HttpResponse:
    """Return the apps on Apple's systems that share the passkeys (associated domains, service `webcredentials`)."""
    return _document({"webcredentials": {"apps": settings.IOS_APPS}} if settings.IOS_APPS else None)


def _document(document: Any) -> HttpResponse:
    if document is None:
        return problem_response(NotFound())
    return JsonResponse(document, safe=False, headers={"Cache-Control": f"public, max-age={MAX_AGE}"})
