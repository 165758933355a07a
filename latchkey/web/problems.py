"""The one place where a refusal becomes a response: application/problem+json (RFC 9457)."""

import sys
from collections.abc import Mapping
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions as drf
from rest_framework.response import Response

from latchkey.core import exceptions as errors

CONTENT_TYPE = "application/problem+json"
DATABASE_AWAY = (OperationalError, InterfaceError, InternalError)
"""What the drivers raise when the database is down, locked, full, read-only or out of time."""

_REFUSAL_OF: dict[type[Exception], type[errors.Refusal]] = {
    drf.NotAuthenticated: errors.NotAuthenticated,
    drf.AuthenticationFailed: errors.InvalidToken,
    drf.PermissionDenied: errors.PermissionDenied,
    DjangoPermissionDenied: errors.PermissionDenied,
    drf.NotFound: errors.NotFound,
    Http404: errors.NotFound,
    drf.MethodNotAllowed: errors.MethodNotAllowed,
    drf.NotAcceptable: errors.NotAcceptable,
    drf.UnsupportedMediaType: errors.UnsupportedMediaType,
    RequestDataTooBig: errors.ContentTooLarge,
    drf.ParseError: errors.ParseError,
    SuspiciousOperation: errors.BadRequest,
}

log = structlog.get_logger(__name__)


def refusal_for(error: Exception) -> errors.Refusal | None:
    """Return how an exception is told to a client, or None where it is a mistake of ours."""
    if isinstance(error, errors.Refusal):
        return error
    if isinstance(error, drf.ValidationError):
        return errors.InvalidInput(_sentences(error.detail))
    if isinstance(error, DATABASE_AWAY):
        log.error("database.unavailable", error=type(error).__name__)
        if isinstance(error, InternalError):  # read-only: another host takes the writes now, so look for it
            connection.close()
        return errors.Unavailable()
    return next((cls() for source, cls in _REFUSAL_OF.items() if isinstance(error, source)), None)


def _sentences(detail: Any) -> dict[str, list[str]]:
    """Flatten what a serializer found; ours are flat, with a list of sentences for each field."""
    return {field: [str(line) for line in lines] for field, lines in detail.items()}


def document(refusal: errors.Refusal) -> dict[str, Any]:
    """Return the problem document: its keys and their order are part of the wire contract."""
    body: dict[str, Any] = {
        "type": f"urn:latchkey:problem:{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "code": refusal.code,
    }
    return body | ({"errors": dict(refusal.errors)} if refusal.status == 400 else {})


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer for a view of ours; DRF's EXCEPTION_HANDLER."""
    refusal = refusal_for(error)
    if refusal is None:
        return None  # Django logs it and answers through server_error below
    headers = dict(refusal.extra_headers)
    if refusal.status == 405:
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    if refusal.status == 415:
        headers["Accept"] = ", ".join(parser.media_type for parser in context["view"].parser_classes)
    return Response(document(refusal), refusal.status, headers=headers)


def respond(refusal: errors.Refusal, headers: Mapping[str, str] | None = None) -> JsonResponse:
    """Answer where no view of Django REST Framework was reached; a view of ours adds its own headers."""
    headers = {"Cache-Control": "no-store", **(headers or {}), **refusal.extra_headers}
    return JsonResponse(document(refusal), status=refusal.status, content_type=CONTENT_TYPE, headers=headers)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return respond(errors.BadRequest())


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return respond(errors.PermissionDenied())


def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return respond(errors.NotFound())


def server_error(request: HttpRequest) -> JsonResponse:
    return respond(errors.Unavailable() if isinstance(sys.exc_info()[1], DATABASE_AWAY) else errors.ServerError())


def csrf_failure(request: HttpRequest, reason: str = "") -> JsonResponse:
    return respond(errors.CsrfFailed())
