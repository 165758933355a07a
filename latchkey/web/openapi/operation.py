"""The OpenAPI document: each operation states its input, its answer and every refusal, with examples."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from latchkey.core import exceptions as errors
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
AUTH_ERRORS: list[type[errors.ApiError]] = [errors.NotAuthenticated, errors.InvalidToken]

_USE_REFRESH_TOKEN: dict[str, Any] = {"requestBody": {"refresh_token": "$response.body#/refresh_token"}}
_USE_ACCESS_TOKEN = {"description": "Send the access_token as 'Authorization: Bearer <access_token>'."}
_SUBMIT_TOKEN = {"requestBody": {"token": "$response.body#/access_token"}}
_AFTER_TOKEN_PAIR = {
    "refresh": _USE_REFRESH_TOKEN,
    "logout": _USE_REFRESH_TOKEN,
    "read_me": _USE_ACCESS_TOKEN,
    "replace_me": _USE_ACCESS_TOKEN,
    "update_me": _USE_ACCESS_TOKEN,
}
_AFTER_TOKEN_PAIR |= {"verify": _USE_ACCESS_TOKEN, "introspect": _SUBMIT_TOKEN, "revoke": _SUBMIT_TOKEN}
_AFTER_TOKEN_PAIR |= {
    "list_sessions": _USE_ACCESS_TOKEN,
    "end_sessions": _USE_ACCESS_TOKEN,
    "list_events": _USE_ACCESS_TOKEN,
    "export": _USE_ACCESS_TOKEN,
}
_AFTER_TOKEN_PAIR |= {"change_password": _USE_ACCESS_TOKEN, "change_email": _USE_ACCESS_TOKEN}
_SAME_PASSWORD = {"requestBody": {"password": "$request.body#/password"}, **_USE_ACCESS_TOKEN}
_USE_EMAILED_CODE: dict[str, Any] = {"description": "Send the token of the link, or the code, out of the mail."}
_SAME_EMAIL: dict[str, Any] = {"requestBody": {"email": "$request.body#/email"}}
LINKS: dict[str, dict[str, dict[str, Any]]] = {
    "register": {
        "login": {"requestBody": "$request.body"},
        "verify_email": _USE_EMAILED_CODE,
        "resend_verification": _SAME_EMAIL,
        "reset_password": _SAME_EMAIL,
    },
    "list_sessions": {"end_session": {"parameters": {"session_id": "$response.body#/0/id"}, **_USE_ACCESS_TOKEN}},
    "resend_verification": {"verify_email": _USE_EMAILED_CODE},
    "reset_password": {"confirm_password_reset": _USE_EMAILED_CODE},
    "change_email": {"confirm_email_change": _USE_EMAILED_CODE},
    "change_password": _AFTER_TOKEN_PAIR,
    "login": {**_AFTER_TOKEN_PAIR, "leave": _SAME_PASSWORD, "change_email": _SAME_PASSWORD},
    "refresh": _AFTER_TOKEN_PAIR,
}
"""Which operation can follow the success of which, and with what."""


class Problem(serializers.Serializer[Any]):
    """A refusal (RFC 9457)."""

    type = serializers.CharField(help_text="urn:latchkey:problem:<code>")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.ChoiceField(choices=sorted(refusal.code for refusal in ALL_ERRORS))
    errors = serializers.DictField(  # type: ignore[assignment]  # a field here, not the property of that name
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="With status 400: sentences by field.",
    )


def operation(  # noqa: PLR0913  # all but four are named at the call
    name: str,
    summary: str,
    request: type[serializers.Serializer[Any]] | None,
    response: Mapping[int, Any],  # a serializer, one of many, or None
    *,
    problems: Sequence[type[errors.ApiError]],
    response_example: Any = None,
    response_headers: Mapping[str, str] | None = None,
    request_example: Mapping[str, Any] | None = None,
    limits: Mapping[str, Mapping[str, Any]] | None = None,
    parameters: Sequence[OpenApiParameter] = (),
) -> Callable[[Any], Any]:
    """Describe one method of a view, by the name that generated clients call; what any request can meet is added."""
    status = next(iter(response))
    every: list[type[errors.ApiError]] = [*problems, *(BODY_ERRORS if request else []), *COMMON_ERRORS]
    if response[status] is None:
        every.remove(errors.NotAcceptable)  # there is no answer that a client could be unable to read
    answers: dict[Any, Any] = dict(response)
    for refused in sorted({refusal.status for refusal in every}):
        titles = " / ".join(refusal.title for refusal in every if refusal.status == refused)
        answers[refused, PROBLEM] = OpenApiResponse(Problem, titles)
    examples = [
        OpenApiExample(
            refusal.title,
            problem_document(refusal()),
            response_only=True,
            status_codes=[str(refusal.status)],
            media_type=PROBLEM,
        )
        for refusal in every
    ]
    if response_example is not None:
        examples.append(OpenApiExample("Answer", response_example, response_only=True, status_codes=[str(status)]))
    if request_example is not None:
        examples.append(OpenApiExample("Request", request_example, request_only=True))
    extended = extend_schema(
        operation_id=name,
        summary=summary,
        tags=["Endpoints"],
        request=request,
        responses=answers,
        examples=examples,
        parameters=[*parameters, *error_headers(every), *success_headers(response_headers or {}, status)],
    )

    def describe(method: Any) -> Any:
        own = {"links": LINKS.get(name, {}), "limits": limits or {}}
        method.schema = type("OperationSchema", (OperationSchema,), own)  # what extend_schema builds upon
        return extended(method)

    return describe


def canonical_paths(endpoints: list[tuple[str, str, str, Any]], **kwargs: Any) -> list[tuple[str, str, str, Any]]:
    """Leave out the second spelling of each route, the one without its slash."""
    return [endpoint for endpoint in endpoints if endpoint[0].endswith("/")]
