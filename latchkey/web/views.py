"""Pages and probes that belong to no feature."""

from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any, ClassVar

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from latchkey.core.exceptions import MethodNotAllowed, ServiceUnavailable
from latchkey.web.api_view import ApiView
from latchkey.web.problems import problem_response

INDEX_ROUTES = (
    *("register", "login", "refresh", "logout", "me", "verify", "introspect", "revoke"),
    *("sessions", "me/events", "me/export"),
    *("password/change", "password/reset", "password/reset/confirm"),
    *("email/verify", "email/verify/resend", "email/change", "email/change/confirm"),
)


class IndexView(ApiView):
    """The endpoints of this service."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        return Response({name: reverse(name, request=request) for name in INDEX_ROUTES})


class DocsView(ApiView, SpectacularSwaggerSplitView):
    """Swagger UI, with refusals like everywhere else."""


class CachedSchemaGenerator(SchemaGenerator):
    """Makes the document once in a process, and in one thread: it is the same for everybody.

    drf-spectacular keeps what it works on in the views themselves, so that two threads at once spoil each other's.
    """

    cache: ClassVar[list[Any]] = []
    lock: ClassVar[Lock] = Lock()

    def get_schema(self, request: Any = None, public: bool = False) -> Any:
        with self.lock:
            if not self.cache:
                self.cache.append(super().get_schema(request, public))  # type: ignore[no-untyped-call]  # untyped there
        return self.cache[0]


class SchemaView(ApiView, SpectacularAPIView):
    """The OpenAPI document, with refusals like everywhere else."""

    generator_class = CachedSchemaGenerator

    def _get_version_parameter(self, request: Request) -> None:
        """Let nobody's ?version= into the document."""


def require_safe(page: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse methods other than GET and HEAD with a problem document, where Django has an empty page."""

    @csrf_exempt
    @wraps(page)
    def guarded(request: HttpRequest) -> HttpResponse:
        if request.method in ("GET", "HEAD"):
            return page(request)
        return problem_response(MethodNotAllowed(headers={"Allow": "GET, HEAD"}))

    return guarded


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
        return problem_response(ServiceUnavailable())
    return JsonResponse({"status": "ok"})
