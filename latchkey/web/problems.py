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
DATABASE_UNAVAILABLE = (OperationalError, InterfaceError, InternalError)
"""What the drivers raise when the database is down, locked, full, read-only or out of time."""

_ERROR_CLASSES: dict[type[Exception], type[errors.ApiError]] = {
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


def to_api_error(error: Exception) -> errors.ApiError | None:
    """Return how an exception is told to a client, or None where it is a mistake of ours."""
    if isinstance(error, errors.ApiError):
        return error
    if isinstance(error, drf.ValidationError):
        return errors.InvalidInput(_flatten_errors(error.detail))
    if isinstance(error, DATABASE_UNAVAILABLE):
        log.error("database.unavailable", error=type(error).__name__)
        if isinstance(error, InternalError):  # read-only: another host takes the writes now, so look for it
            connection.close()
        return errors.ServiceUnavailable()
    return next((cls() for source, cls in _ERROR_CLASSES.items() if isinstance(error, source)), None)


def _flatten_errors(detail: Any) -> dict[str, list[str]]:
    """Flatten what a serializer found; ours are flat, with a list of sentences for each field."""
    return {field: [str(line) for line in lines] for field, lines in detail.items()}


def problem_document(refusal: errors.ApiError) -> dict[str, Any]:
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
    refusal = to_api_error(error)
    if refusal is None:
        return None  # Django logs it and answers through server_error below
    headers = dict(refusal.headers)
    if refusal.status == 405:
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    if refusal.status == 415:
        headers["Accept"] = ", ".join(parser.media_type for parser in context["view"].parser_classes)
    return Response(problem_document(refusal), refusal.status, headers=headers)


def problem_response(refusal: errors.ApiError, headers: Mapping[str, str] | None = None) -> JsonResponse:
    """Answer where no view of Django REST Framework was reached; a view of ours adds its own headers."""
    headers = {"Cache-Control": "no-store", **(headers or {}), **refusal.headers}
    return JsonResponse(problem_document(refusal), status=refusal.status, content_type=CONTENT_TYPE, headers=headers)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return problem_response(errors.BadRequest())


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return problem_response(errors.PermissionDenied())


def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return problem_response(errors.NotFound())


def server_error(request: HttpRequest) -> JsonResponse:
    return problem_response(
        errors.ServiceUnavailable()
        if isinstance(sys.exc_info()[1], DATABASE_UNAVAILABLE)
        else errors.InternalServerError()
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> JsonResponse:
    return problem_response(errors.CsrfFailed())
