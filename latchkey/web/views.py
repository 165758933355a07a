"""Home page, index of the API, API documentation, and health checks (liveness and readiness probes)."""

from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any, ClassVar

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, get_resolver
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from latchkey.conf.site import current_site
from latchkey.core.exceptions import MethodNotAllowed, ServiceUnavailable
from latchkey.web.access import PUBLIC
from latchkey.web.api_view import ApiView
from latchkey.web.problems import problem_response
from latchkey.web.site_pages import add_page_headers, site_context


def index_routes() -> list[str]:
    """Return the names of the API's routes in the order of the URLconf, without those that have a parameter."""
    routes = [pattern for pattern in get_resolver().url_patterns if isinstance(pattern, URLPattern) and pattern.name]
    return [
        str(route.name)
        for route in routes
        if getattr(getattr(route.callback, "cls", None), "in_index", False) and "<" not in str(route.pattern)
    ]


class IndexView(ApiView):
    """Index of the API's endpoints."""

    in_index = False
    access = PUBLIC

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        return Response({name: reverse(name, request=request) for name in index_routes()})


class DocsView(ApiView, SpectacularSwaggerSplitView):
    """Swagger UI, with problem documents for errors."""

    in_index = False


class CachedSchemaGenerator(SchemaGenerator):
    """Generator of the OpenAPI document that runs once in a process, as the document is the same for all clients.

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
    """The OpenAPI document, with problem documents for errors."""

    in_index = False
    generator_class = CachedSchemaGenerator

    def _get_version_parameter(self, request: Request) -> None:
        """Ignore ?version=, which drf-spectacular would write into the document."""


def require_safe(page: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Allow GET and HEAD only. Django's decorator of this name answers others with an empty page, this one with a
    problem document.
    """

    @csrf_exempt
    @wraps(page)
    def guarded(request: HttpRequest) -> HttpResponse:
        if request.method in ("GET", "HEAD"):
            return page(request)
        return problem_response(MethodNotAllowed(headers={"Allow": "GET, HEAD"}))

    return guarded


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Home page: links to the documentation, the browsable API and the admin."""
    site = current_site()
    response = render(request, "latchkey/home.html", site_context(site))
    add_page_headers(response, site)
    return response


@require_safe
@never_cache
def livez(request: HttpRequest) -> HttpResponse:
    """Liveness probe: 200 while the process can answer, whatever the database does."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Readiness probe: 200 while the database answers, else 503. The server may have asked it before."""
    if "latchkey.ready" in request.META:
        return JsonResponse({"status": "ok"})
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return problem_response(ServiceUnavailable())
    return JsonResponse({"status": "ok"})
