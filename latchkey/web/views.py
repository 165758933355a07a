"""Pages and probes that belong to no feature."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from latchkey.core.errors import Unavailable
from latchkey.web.api import ApiView
from latchkey.web.problems import respond

ENDPOINTS = ("register", "login", "refresh", "logout", "me")


class IndexView(ApiView):
    """The endpoints of this service."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        return Response({name: reverse(name, request=request) for name in ENDPOINTS})


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show a person where everything is."""
    return render(request, "latchkey/home.html")


@require_safe
@never_cache
def livez(request: HttpRequest) -> HttpResponse:
    """Answer while the process can answer at all, whatever the database does."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the database answers, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return respond(Unavailable())
    return JsonResponse({"status": "ok"})
