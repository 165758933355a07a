"""One's own record."""

from typing import cast

from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.accounts.models import User
from latchkey.accounts.rename import rename
from latchkey.accounts.serializers import MeInput, MeOutput
from latchkey.web.api import ApiView
from latchkey.web.schema import SIGNED_IN, documented

ME = {"id": 1, "username": "John Smith", "email": "user@example.com"}


def _caller(request: Request) -> User:
    return cast("User", request.user)


class MeView(ApiView):
    """Your own record: read it, or change your display name."""

    input_class = MeInput

    @documented(
        "read_me",
        "Read your own record",
        None,
        {200: MeOutput},
        response_example={**ME, "username": ""},
        refusals=SIGNED_IN,
    )
    def get(self, request: Request) -> Response:
        return Response(MeOutput(_caller(request)).data)

    @documented(
        "replace_me",
        "Set your display name",
        MeInput,
        {200: MeOutput},
        request_example={"username": "John Smith"},
        response_example=ME,
        refusals=SIGNED_IN,
    )
    def put(self, request: Request) -> Response:
        return Response(MeOutput(rename(_caller(request), **self.read(request))).data)

    @documented(
        "update_me",
        "Change your display name",
        MeInput,
        {200: MeOutput},
        request_example={"username": "John Smith"},
        response_example=ME,
        refusals=SIGNED_IN,
    )
    def patch(self, request: Request) -> Response:
        changes = self.read(request, partial=True)
        return Response(MeOutput(rename(_caller(request), **changes) if changes else _caller(request)).data)
