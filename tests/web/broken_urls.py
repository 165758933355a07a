"""Latchkey's routes, and views that raise an exception in the view, parser, renderer or middleware."""

from typing import Any, NoReturn

from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.urls import handler400, handler403, handler404, handler500
from latchkey.urls import urlpatterns as latchkey_urls
from latchkey.web.api_view import ApiView

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]
EXCEPTION_TEXT = "SELECT secret FROM latchkey_user"


class BrokenParser(BaseParser):
    media_type = "application/json"

    def parse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise LookupError(EXCEPTION_TEXT)


class BrokenRenderer(BaseRenderer):
    media_type, format = "application/json", "json"

    def render(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise ArithmeticError(EXCEPTION_TEXT)


class OpenView(ApiView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def post(self, request: Request) -> Response:
        return Response({"seen": len(request.data)})


class BrokenView(OpenView):
    def post(self, request: Request) -> NoReturn:
        raise RuntimeError(EXCEPTION_TEXT)


class UnreadableView(OpenView):
    parser_classes = (BrokenParser,)


class UnwritableView(OpenView):
    renderer_classes = (BrokenRenderer,)


class BrokenMiddleware:
    """Raises for the requests that name it."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/api/middleware"):
            raise RuntimeError(EXCEPTION_TEXT)
        response: HttpResponse = self.get_response(request)
        return response


urlpatterns = [
    *latchkey_urls,
    path("api/open/", OpenView.as_view()),
    path("api/view/", BrokenView.as_view()),
    path("api/parser/", UnreadableView.as_view()),
    path("api/renderer/", UnwritableView.as_view()),
    path("api/middleware/", OpenView.as_view()),
]
