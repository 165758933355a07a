"""OpenAPI operations of the endpoints below /oauth/: a form, and errors in the form of RFC 6749 section 5.2."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers

from latchkey.core import exceptions as errors
from latchkey.web.oauth_errors import CODES, oauth_error
from latchkey.web.openapi.autoschema import OperationSchema
from latchkey.web.openapi.headers import error_headers
from latchkey.web.openapi.operation import Link

ANY_REQUEST: list[type[errors.ApiError]] = [
    errors.ContentTooLarge,
    errors.UnsupportedMediaType,
    errors.InternalServerError,
    errors.ServiceUnavailable,
]
"""Errors that any of these requests can meet."""


class OAuthError(serializers.Serializer[Any]):
    """An error (RFC 6749 section 5.2)."""

    error = serializers.ChoiceField(choices=sorted(CODES | {"temporarily_unavailable"}))
    error_description = serializers.CharField(help_text="A sentence for developers.")


def oauth_operation(  # noqa: PLR0913  # all but four are named at the call
    name: str,
    summary: str,
    request: type[serializers.Serializer[Any]],
    response: Mapping[int, Any],
    *,
    problems: Sequence[type[errors.ApiError]],
    request_example: Mapping[str, Any],
    response_example: Mapping[str, Any],
    links: Mapping[str, Link] | None = None,
) -> Callable[[Any], Any]:
    """Describe one method of a view below /oauth/ in the OpenAPI document.

    name is the operationId. links says which operations can follow its success, and with what.
    """
    every = [*problems, *ANY_REQUEST]
    success = next(iter(response))
    answers: dict[Any, Any] = dict(response)
    for status in sorted({error.status for error in every}):
        titles = " / ".join(error.title for error in every if error.status == status)
        answers[status, "application/json"] = OpenApiResponse(OAuthError, titles)
    examples = [
        OpenApiExample(error.title, oauth_error(error()), response_only=True, status_codes=[str(error.status)])
        for error in every
    ]
    examples += [
        OpenApiExample("Answer", response_example, response_only=True, status_codes=[str(success)]),
        OpenApiExample("Request", request_example, request_only=True),
    ]
    extended = extend_schema(
        operation_id=name,
        summary=summary,
        request=request,
        responses=answers,
        examples=examples,
        parameters=error_headers(every),
    )

    def describe(method: Any) -> Any:
        method.schema = type("OAuthOperationSchema", (OperationSchema,), {"links": links or {}})
        return extended(method)

    return describe
