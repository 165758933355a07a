"""Secure defaults of Django REST Framework: a view without own settings requires authentication and strict JSON."""

from typing import Any

import pytest
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from latchkey.bearer_tokens.authentication import BearerAuthentication
from latchkey.web.access import DeclaredAccess
from latchkey.web.browsable import BrowsableRenderer
from latchkey.web.input import StrictJSONParser
from tests.people import Person


class DefaultView(APIView):
    """A view without authentication, permission or parser settings of its own."""

    def post(self, request: object) -> Response:
        return Response({})


@pytest.mark.ledger("CS-DRF-1")
def test_drf_defaults_require_authentication_and_strict_json() -> None:
    kinds = ("PERMISSION", "AUTHENTICATION", "PARSER", "RENDERER")
    assert {kind: getattr(api_settings, f"DEFAULT_{kind}_CLASSES") for kind in kinds} == {
        "PERMISSION": [DeclaredAccess],
        "AUTHENTICATION": [BearerAuthentication],
        "PARSER": [StrictJSONParser],
        "RENDERER": [JSONRenderer, BrowsableRenderer],
    }


@pytest.mark.ledger("CS-DRF-1")
def test_drf_defaults_have_no_throttling_pagination_or_filters() -> None:
    """latchkey/rate_limits counts attempts, and no client header can bypass it; no endpoint uses DRF's pagination."""
    assert api_settings.DEFAULT_THROTTLE_CLASSES == []
    assert api_settings.DEFAULT_PAGINATION_CLASS is None
    assert api_settings.DEFAULT_FILTER_BACKENDS == []


@pytest.mark.ledger("CS-DRF-1")
def test_view_without_own_settings_requires_authentication(alice: Person) -> None:
    view, make = DefaultView.as_view(), APIRequestFactory()
    body: dict[str, Any] = {"data": b"{}", "content_type": "application/json"}
    assert view(make.post("/x/", **body)).status_code == 401
    assert view(make.post("/x/", **body, HTTP_AUTHORIZATION=alice.bearer()["Authorization"])).status_code == 200
