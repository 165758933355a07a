"""The OpenAPI document: each operation states its input, its answer and every refusal, with examples."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from latchkey.core import exceptions as errors
from latchkey.web.openapi.autoschema import Described
from latchkey.web.openapi.headers import headers_of_answer, headers_of_refusals
from latchkey.web.problems import CONTENT_TYPE as PROBLEM
from latchkey.web.problems import document

REFUSALS: list[type[errors.Refusal]] = [
    value for value in vars(errors).values() if isinstance(value, type) and hasattr(value, "code")
]
EVERYWHERE: list[type[errors.Refusal]] = [errors.NotAcceptable, errors.ServerError, errors.Unavailable]
WITH_A_BODY: list[type[errors.Refusal]] = [
    errors.InvalidInput,
    errors.ParseError,
    errors.DuplicateKey,
    errors.ContentTooLarge,
    errors.UnsupportedMediaType,
]
SIGNED_IN: list[type[errors.Refusal]] = [errors.NotAuthenticated, errors.InvalidToken]

_SPEND: dict[str, Any] = {"requestBody": {"refresh_token": "$response.body#/refresh_token"}}
_BEAR = {"description": "Send the access_token as 'Authorization: Bearer <access_token>'."}
_NAME = {"requestBody": {"token": "$response.body#/access_token"}}
_WITH_A_PAIR = {"refresh": _SPEND, "logout": _SPEND, "read_me": _BEAR, "replace_me": _BEAR, "update_me": _BEAR}
_WITH_A_PAIR |= {"verify": _BEAR, "introspect": _NAME, "revoke": _NAME}
_WITH_A_PAIR |= {"list_sessions": _BEAR, "end_sessions": _BEAR, "list_events": _BEAR, "export": _BEAR}
_WITH_A_PAIR |= {"change_password": _BEAR, "change_email": _BEAR}
_PROVE_AGAIN = {"requestBody": {"password": "$request.body#/password"}, **_BEAR}
_MAILED: dict[str, Any] = {"description": "Send the token of the link, or the code, out of the mail."}
_WRITE: dict[str, Any] = {"requestBody": {"email": "$request.body#/email"}}
LINKS: dict[str, dict[str, dict[str, Any]]] = {
    "register": {
        "login": {"requestBody": "$request.body"},
        "verify_email": _MAILED,
        "resend_verification": _WRITE,
        "reset_password": _WRITE,
    },
    "list_sessions": {"end_session": {"parameters": {"session_id": "$response.body#/0/id"}, **_BEAR}},
    "resend_verification": {"verify_email": _MAILED},
    "reset_password": {"confirm_password_reset": _MAILED},
    "change_email": {"confirm_email_change": _MAILED},
    "change_password": _WITH_A_PAIR,
    "login": {**_WITH_A_PAIR, "leave": _PROVE_AGAIN, "change_email": _PROVE_AGAIN},
    "refresh": _WITH_A_PAIR,
}
"""Which operation can follow the success of which, and with what."""


class Problem(serializers.Serializer[Any]):
    """A refusal (RFC 9457)."""

    type = serializers.CharField(help_text="urn:latchkey:problem:<code>")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.ChoiceField(choices=sorted(refusal.code for refusal in REFUSALS))
    errors = serializers.DictField(  # type: ignore[assignment]  # a field here, not the property of that name
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="With status 400: sentences by field.",
    )


def documented(  # noqa: PLR0913  # all but four are named at the call
    name: str,
    summary: str,
    request: type[serializers.Serializer[Any]] | None,
    response: Mapping[int, Any],  # a serializer, one of many, or None
    *,
    refusals: Sequence[type[errors.Refusal]],
    response_example: Any = None,
    response_headers: Mapping[str, str] | None = None,
    request_example: Mapping[str, Any] | None = None,
    limits: Mapping[str, Mapping[str, Any]] | None = None,
    asked: Sequence[OpenApiParameter] = (),
) -> Callable[[Any], Any]:
    """Describe one method of a view, by the name that generated clients call; what any request can meet is added."""
    status = next(iter(response))
    every: list[type[errors.Refusal]] = [*refusals, *(WITH_A_BODY if request else []), *EVERYWHERE]
    if response[status] is None:
        every.remove(errors.NotAcceptable)  # there is no answer that a client could be unable to read
    answers: dict[Any, Any] = dict(response)
    for refused in sorted({refusal.status for refusal in every}):
        titles = " / ".join(refusal.title for refusal in every if refusal.status == refused)
        answers[refused, PROBLEM] = OpenApiResponse(Problem, titles)
    examples = [
        OpenApiExample(
            refusal.title,
            document(refusal()),
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
        parameters=[*asked, *headers_of_refusals(every), *headers_of_answer(response_headers or {}, status)],
    )

    def describe(method: Any) -> Any:
        own = {"links": LINKS.get(name, {}), "limits": limits or {}}
        method.schema = type("Described", (Described,), own)  # what extend_schema builds upon
        return extended(method)

    return describe


def with_slash_only(endpoints: list[tuple[str, str, str, Any]], **kwargs: Any) -> list[tuple[str, str, str, Any]]:
    """Leave out the second spelling of each route, the one without its slash."""
    return [endpoint for endpoint in endpoints if endpoint[0].endswith("/")]
