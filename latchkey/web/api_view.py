"""What the views of the API have in common."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from latchkey.web.problems import CONTENT_TYPE


class IgnoreAccept(BaseContentNegotiation):
    """Accept has no say: it is that of somebody else's request, which a proxy passes on while it asks."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class ApiView(APIView):
    """A view that reads its input through one serializer and whose refusals are problem documents."""

    input_class: type[Serializer[Any]] | None = None

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
        response["Cache-Control"] = "no-store"  # RFC 6749 section 5.1
        if isinstance(response, Response) and response.exception and response.accepted_renderer.format != "api":
            response.accepted_renderer = JSONRenderer()  # whatever the view renders when all is well
            response.content_type = CONTENT_TYPE
        return response
