"""A service with Django alone, whose views ask for different things; one is async, and one a class."""

import os

from django.conf import settings
from django.http import JsonResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from latchkey_client import Introspection, Verifier
from latchkey_client.django import ClaimsRequest, require

settings.configure(SECRET_KEY="only for a test", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"])

from django.core.asgi import get_asgi_application  # noqa: E402  # after the settings

URL, AUDIENCE = os.environ["LATCHKEY_URL"], os.environ["LATCHKEY_AUDIENCE"]
verifier = Verifier(URL, AUDIENCE)
introspection = Introspection(
    URL, os.environ["LATCHKEY_CLIENT_ID"], os.environ["LATCHKEY_CLIENT_SECRET"], audience=AUDIENCE
)


@require(verifier)
async def hello(request: ClaimsRequest) -> JsonResponse:
    return JsonResponse({"user": request.claims.subject, "session": request.claims.session_id})


@require(verifier, role="editor")
def editors(request: ClaimsRequest) -> JsonResponse:
    return JsonResponse({"user": request.claims.subject})


@method_decorator(require(verifier, scope="reports:read"), name="dispatch")
class Reports(View):
    def get(self, request: ClaimsRequest) -> JsonResponse:
        return JsonResponse({"client": request.claims.client_id})


@require(verifier, acr="aal2", max_age=300)
def payments(request: ClaimsRequest) -> JsonResponse:
    return JsonResponse({"user": request.claims.subject})


@require(introspection, scope="reports:read")
async def keys(request: ClaimsRequest) -> JsonResponse:
    return JsonResponse({"user": request.claims.subject})


urlpatterns = [
    path("hello", hello),
    path("editors", editors),
    path("reports", Reports.as_view()),
    path("payments", payments),
    path("keys", keys),
]
app = get_asgi_application()
