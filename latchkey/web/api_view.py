"""Base class of the API's views."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from latchkey.web.access import PERSON, Access
from latchkey.web.problems import error_content_type


class IgnoreAccept(BaseContentNegotiation):
    """Content negotiation without Accept, which is that of the request that a reverse proxy is asking about."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class ApiView(APIView):
    """An endpoint of the API: it validates its input by one serializer, and its errors are problem documents.

    The class carries all that is known of the endpoint: what stands elsewhere (the fast path, the hashing queue, the
    index at /api/, the OpenAPI document) is derived from these attributes and from the URLconf.
    """

    input_class: type[Serializer[Any]] | None = None
    access: ClassVar[Access | Mapping[str, Access]] = PERSON
    """Who may call the endpoint, or who by HTTP method; PERSON for a method that is not named."""
    in_index: ClassVar[bool] = True
    """Whether /api/ lists it, unless its path has a parameter."""
    hashes_password: ClassVar[frozenset[str]] = frozenset()
    """HTTP methods that hash a password: their requests wait in the hashing queue."""
    cache_control: ClassVar[str] = "no-store"  # RFC 6749 section 5.1
    """Cache-Control of a JSON answer; errors and pages are never cached."""
    fast_handlers: ClassVar[Mapping[str, Any]] = {}
    """FastHandler (web/fast_path.py) by HTTP method."""

    @classmethod
    def access_for(cls, method: str) -> Access:
        """Return who may call this method; HEAD is as GET."""
        if isinstance(cls.access, Access):
            return cls.access
        return cls.access.get("GET" if method == "HEAD" else method, PERSON)

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return no authentication class for a public method, which ignores whatever Authorization says."""
        request: HttpRequest | None = self.request  # None while the OpenAPI document is made
        access = self.access_for(request.method or "") if request else PERSON
        if access.is_public:
            return []
        return super().get_authenticators()

    def validated(
        self, request: Request, serializer_class: type[Serializer[Any]] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Return the validated fields of the body; raises what the parser and the serializer raise."""
        fields = (serializer_class or self.get_serializer)(data=request.data, **kwargs)
        fields.is_valid(raise_exception=True)
        return dict(fields.validated_data)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Serializer[Any]:
        """Return the input's serializer: with it the browsable API fills in its form."""
        cls = self.input_class or Serializer
        kwargs.pop("instance", None)
        return cls(*args, **kwargs)

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Answer with Allow and nothing else: DRF's own answer describes the classes."""
        return HttpResponse(status=204)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        is_page = isinstance(response, Response) and response.accepted_renderer.format == "api"
        is_error = response.status_code >= 400
        response["Cache-Control"] = "no-store" if is_page or is_error else self.cache_control
        if isinstance(response, Response) and response.exception and not is_page:
            response.accepted_renderer = JSONRenderer()  # whatever the view renders when all is well
            response.content_type = error_content_type(request.path_info)
        return response
