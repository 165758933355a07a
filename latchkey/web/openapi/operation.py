"""OpenAPI operations: the input, the output, every error and the links of a view's method, with examples."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from latchkey.core import exceptions as errors
from latchkey.web.openapi.access import access_errors
from latchkey.web.openapi.autoschema import OperationSchema
from latchkey.web.openapi.headers import error_headers, success_headers
from latchkey.web.problems import CONTENT_TYPE as PROBLEM
from latchkey.web.problems import problem_document

ALL_ERRORS: list[type[errors.ApiError]] = [
    value for value in vars(errors).values() if isinstance(value, type) and hasattr(value, "code")
]
COMMON_ERRORS: list[type[errors.ApiError]] = [
    errors.NotAcceptable,
    errors.InternalServerError,
    errors.ServiceUnavailable,
]
BODY_ERRORS: list[type[errors.ApiError]] = [
    errors.InvalidInput,
    errors.ParseError,
    errors.DuplicateKey,
    errors.ContentTooLarge,
    errors.UnsupportedMediaType,
]

Link: TypeAlias = Mapping[str, Any]
"""An OpenAPI Link Object without its operationId: what of the response goes into the next request."""

USE_ACCESS_TOKEN: Link = {"description": "Send the access_token as 'Authorization: Bearer <access_token>'."}
USE_REFRESH_TOKEN: Link = {"requestBody": {"refresh_token": "$response.body#/refresh_token"}}
SUBMIT_TOKEN: Link = {"requestBody": {"token": "$response.body#/access_token"}}
SAME_PASSWORD: Link = {"requestBody": {"password": "$request.body#/password"}, **USE_ACCESS_TOKEN}
SAME_EMAIL: Link = {"requestBody": {"email": "$request.body#/email"}}
USE_EMAILED_CODE: Link = {"description": "Send the token of the link, or the code, out of the mail."}

AFTER_TOKEN_PAIR: dict[str, Link] = {}
"""Operations that can follow a response with a pair of tokens, as each of them says by `after_token_pair`."""


class Problem(serializers.Serializer[Any]):
    """A error (RFC 9457)."""

    type = serializers.CharField(help_text="urn:latchkey:problem:<code>")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.ChoiceField(choices=sorted({error.code for error in ALL_ERRORS}))
    errors = serializers.DictField(  # type: ignore[assignment]  # a field here, not the property of that name
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="With status 400: sentences by field.",
    )
    retry_after = serializers.IntegerField(
        min_value=1, required=False, help_text="With status 429 and 503: seconds to wait, the number of `Retry-After`."
    )
    min_length = serializers.IntegerField(
        required=False, help_text="With `password_too_short`: characters that a new password needs at least."
    )


def operation(  # noqa: PLR0913  # all but four are named at the call
    name: str,
    summary: str,
    request: type[serializers.Serializer[Any]] | OpenApiTypes | None,
    response: Mapping[int, Any],  # a serializer, one of many, or None
    *,
    problems: Sequence[type[errors.ApiError]] = (),
    response_example: Any = None,
    response_headers: Mapping[str, str] | None = None,
    request_example: Mapping[str, Any] | None = None,
    limits: Mapping[str, Mapping[str, Any]] | None = None,
    parameters: Sequence[OpenApiParameter] = (),
    links: Mapping[str, Link] | None = None,
    after_token_pair: Link | None = None,
    returns_token_pair: bool = False,
) -> Callable[[Any], Any]:
    """Describe one method of a view in the OpenAPI document.

    problems are its own errors; those of any request, and of the access that the view declares, are added.

    name is the operationId, which generated clients use as the name of a method. links says which operations can follow
    this one's success, and with what. after_token_pair says with what this one can follow any operation that
    returns_token_pair.
    """
    if after_token_pair:
        AFTER_TOKEN_PAIR[name] = after_token_pair
    status = next(iter(response))
    examples = []
    if response_example is not None:
        examples.append(OpenApiExample("Answer", response_example, response_only=True, status_codes=[str(status)]))
    if request_example is not None:
        examples.append(OpenApiExample("Request", request_example, request_only=True))
    extended = extend_schema(
        operation_id=name,
        summary=summary,
        request=request,
        examples=examples,
        parameters=[*parameters, *success_headers(response_headers or {}, status)],
    )

    def describe(method: Any) -> Any:
        own = {
            "links": links or {},
            "collected_links": AFTER_TOKEN_PAIR if returns_token_pair else {},
            "limits": limits or {},
            "successes": response,
            "problems": [*problems, *(BODY_ERRORS if request else [])],
        }
        method.schema = type("ErrorSchema", (ErrorSchema,), own)  # what extend_schema builds upon
        return extended(method)

    return describe


class ErrorSchema(OperationSchema):
    """OperationSchema that adds the errors: those of the method, of the access to it, and of any request."""

    successes: Mapping[int, Any] = {}
    problems: Sequence[type[errors.ApiError]] = ()

    @property
    def every_error(self) -> list[type[errors.ApiError]]:
        """The errors of the operation, each once."""
        every = dict.fromkeys([*self.problems, *access_errors(self.access), *COMMON_ERRORS])
        if next(iter(self.successes.values())) is None:
            del every[errors.NotAcceptable]  # there is no answer that a client could be unable to read
        return list(every)

    def get_response_serializers(self) -> Any:
        """Return the successes, and a problem document for each status of an error."""
        answers: dict[Any, Any] = dict(self.successes)
        for status_code in sorted({error.status for error in self.every_error}):
            titles = " / ".join(error.title for error in self.every_error if error.status == status_code)
            answers[status_code, PROBLEM] = OpenApiResponse(Problem, titles)
        return answers

    def get_examples(self) -> list[OpenApiExample]:
        """Return an example of each error."""
        return [
            OpenApiExample(
                error.title,
                problem_document(error()),
                response_only=True,
                status_codes=[str(error.status)],
                media_type=PROBLEM,
            )
            for error in self.every_error
        ]

    def get_override_parameters(self) -> Any:
        """Return the headers that come with the errors."""
        return error_headers(self.every_error)


def canonical_paths(endpoints: list[tuple[str, str, str, Any]], **kwargs: Any) -> list[tuple[str, str, str, Any]]:
    """Leave out the second spelling of each route, the one without its slash."""
    return [endpoint for endpoint in endpoints if endpoint[0].endswith("/")]
