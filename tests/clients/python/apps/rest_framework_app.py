"""A service with Django REST Framework, whose views ask for different things."""

import os
from collections.abc import Sequence

from django.conf import settings

settings.configure(
    SECRET_KEY="only for a test",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["127.0.0.1"],
    INSTALLED_APPS=["rest_framework"],
    REST_FRAMEWORK={
        "DEFAULT_PERMISSION_CLASSES": ["latchkey_client.rest_framework.IsSignedIn"],
        "UNAUTHENTICATED_USER": None,
    },
)

from django.core.asgi import get_asgi_application  # noqa: E402  # after the settings

app = get_asgi_application()

from django.urls import path  # noqa: E402
from latchkey_client import Claims, Introspection, Verifier  # noqa: E402
from latchkey_client.rest_framework import BearerAuthentication, IsSignedIn, TokenPermission, require  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

URL, AUDIENCE = os.environ["LATCHKEY_URL"], os.environ["LATCHKEY_AUDIENCE"]


def claims(request: Request) -> Claims:
    assert isinstance(request.auth, Claims)
    return request.auth


class Local(BearerAuthentication):
    verifier = Verifier(URL, AUDIENCE)


class Asking(BearerAuthentication):
    verifier = Introspection(
        URL, os.environ["LATCHKEY_CLIENT_ID"], os.environ["LATCHKEY_CLIENT_SECRET"], audience=AUDIENCE
    )


class Hello(APIView):
    authentication_classes: Sequence[type[BearerAuthentication]] = (Local,)
    permission_classes: Sequence[type[TokenPermission]] = (IsSignedIn,)

    def get(self, request: Request) -> Response:
        return Response({"user": request.user.pk, "session": claims(request).session_id})


class Editors(Hello):
    permission_classes = (require(role="editor"),)


class Reports(Hello):
    permission_classes = (require(scope="reports:read"),)

    def get(self, request: Request) -> Response:
        return Response({"client": claims(request).client_id})


class Payments(Hello):
    permission_classes = (require(acr="aal2", max_age=300),)


class Keys(Hello):
    authentication_classes = (Asking,)
    permission_classes = (require(scope="reports:read"),)


urlpatterns = [
    path(name, view.as_view())
    for name, view in {
        "hello": Hello,
        "editors": Editors,
        "reports": Reports,
        "payments": Payments,
        "keys": Keys,
    }.items()
]
