"""The routes of the service with two more that raise exceptions, one under /api/ and one outside."""

from typing import Any, NoReturn

from django.http import HttpRequest
from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from latchkey.urls import handler400, handler403, handler404, handler500
from latchkey.urls import urlpatterns as ours
from latchkey.web.api_view import ApiView

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


class RaisingView(ApiView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> NoReturn:
        raise RuntimeError("SELECT secret FROM latchkey_user")

    def post(self, request: Request) -> Any:
        return self.get(request)


def raising_view(request: HttpRequest) -> NoReturn:
    raise KeyError("SELECT secret FROM latchkey_user")


urlpatterns = [*ours, path("api/mistake/", RaisingView.as_view()), path("mistake", raising_view)]
