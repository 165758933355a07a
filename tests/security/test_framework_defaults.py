"""What a view gets that says nothing: the framework's defaults are closed, and strict about what they read."""

import pytest
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from latchkey.sessions.authentication import SessionAuthentication
from latchkey.web.browsable import BrowsableRenderer
from latchkey.web.input import StrictJSONParser
from tests.people import Person


class Forgetful(APIView):
    """A view whose author thought of nothing."""

    def post(self, request: object) -> Response:
        return Response({})


@pytest.mark.ledger("CS-DRF-1")
def test_the_defaults_are_closed_and_read_strict_json() -> None:
    kinds = ("PERMISSION", "AUTHENTICATION", "PARSER", "RENDERER")
    assert {kind: getattr(api_settings, f"DEFAULT_{kind}_CLASSES") for kind in kinds} == {
        "PERMISSION": [IsAuthenticated],
        "AUTHENTICATION": [SessionAuthentication],
        "PARSER": [StrictJSONParser],
        "RENDERER": [JSONRenderer, BrowsableRenderer],
    }


@pytest.mark.ledger("CS-DRF-1")
def test_nothing_is_throttled_or_paged_by_the_framework() -> None:
    """Attempts are counted in latchkey/limits, which no header of a client's fools; and there are no lists to page."""
    assert api_settings.DEFAULT_THROTTLE_CLASSES == []
    assert api_settings.DEFAULT_PAGINATION_CLASS is None
    assert api_settings.DEFAULT_FILTER_BACKENDS == []


@pytest.mark.ledger("CS-DRF-1")
def test_a_view_that_says_nothing_lets_only_the_signed_in_in(alice: Person) -> None:
    view, make = Forgetful.as_view(), APIRequestFactory()
    body = {"data": b"{}", "content_type": "application/json"}
    assert view(make.post("/x/", **body)).status_code == 401
    assert view(make.post("/x/", **body, HTTP_AUTHORIZATION=alice.bearer()["Authorization"])).status_code == 200
