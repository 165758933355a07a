"""Error responses: every error of the API as a problem document (RFC 9457), those of /oauth/ as RFC 6749 says."""

import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.http import Http404, HttpRequest, JsonResponse
from django.middleware.csrf import REASON_MALFORMED_REFERER, REASON_NO_CSRF_COOKIE, REASON_NO_REFERER
from rest_framework import exceptions as drf
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.web import oauth_errors

CONTENT_TYPE = "application/problem+json"
DATABASE_UNAVAILABLE = (OperationalError, InterfaceError, InternalError)
"""Exceptions of the drivers if the database is down, locked, full, read-only or out of time."""

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
    """Return the API error of an exception, None for an unhandled one."""
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
    """Return the sentences of a serializer's errors by field; our serializers are flat."""
    return {field: [str(line) for line in lines] for field, lines in detail.items()}


def problem_document(error: errors.ApiError) -> dict[str, Any]:
    """Return the problem document. Its keys and their order are part of the wire contract."""
    body: dict[str, Any] = {
        "type": f"urn:latchkey:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
    }
    return body | ({"errors": dict(error.errors)} if error.status == 400 else {}) | error.members


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the response of a view's exception; DRF's EXCEPTION_HANDLER."""
    api_error = to_api_error(error)
    if api_error is None:
        return None  # Django logs it and answers through server_error below
    headers = dict(api_error.headers)
    if api_error.status == 405:
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    if api_error.status == 415:
        headers["Accept"] = ", ".join(parser.media_type for parser in context["view"].parser_classes)
    _, document = error_document(api_error, context["request"].path_info)
    return Response(document, api_error.status, headers=headers)


def error_content_type(path: str) -> str:
    """Return the media type of errors at this path."""
    return oauth_errors.CONTENT_TYPE if path in oauth_errors.ENDPOINTS else CONTENT_TYPE


def error_document(error: errors.ApiError, path: str) -> tuple[str, dict[str, Any]]:
    """Return the media type and the JSON object of an error at this path."""
    is_oauth = path in oauth_errors.ENDPOINTS
    return error_content_type(path), oauth_errors.oauth_error(error) if is_oauth else problem_document(error)


def error_response(request: HttpRequest, error: errors.ApiError) -> JsonResponse:
    """Return the response of an error outside of Django REST Framework, in the form of the path that was requested."""
    content_type, document = error_document(error, request.path_info)
    headers = {"Cache-Control": "no-store", **error.headers}
    return JsonResponse(document, status=error.status, content_type=content_type, headers=headers)


def problem_response(error: errors.ApiError, headers: Mapping[str, str] | None = None) -> JsonResponse:
    """Return an error response outside of Django REST Framework, whose views add headers of their own."""
    headers = {"Cache-Control": "no-store", **(headers or {}), **error.headers}
    return JsonResponse(problem_document(error), status=error.status, content_type=CONTENT_TYPE, headers=headers)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    if isinstance(exception, DisallowedHost):
        request.META["latchkey.refused"] = "unknown_host"  # for error_pages.py
        return error_response(request, errors.BadRequest(errors.UNKNOWN_HOST))
    return error_response(request, errors.BadRequest())


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return problem_response(errors.PermissionDenied())


def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return problem_response(errors.NotFound())


def server_error(request: HttpRequest) -> JsonResponse:
    return error_response(
        request,
        errors.ServiceUnavailable()
        if isinstance(sys.exc_info()[1], DATABASE_UNAVAILABLE)
        else errors.InternalServerError(),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> JsonResponse:
    """Answer a form that failed the CSRF check; the reason goes into the log and decides what the page advises."""
    refused = request.META["latchkey.refused"] = csrf_reason(request, reason)
    log.warning("csrf.failed", reason=refused)
    return problem_response(errors.CsrfFailed())


def csrf_reason(request: HttpRequest, reason: str) -> str:
    """Return why a CSRF check failed, in a word out of a closed list; `reason` is Django's sentence."""
    origin = urlsplit(request.META.get("HTTP_ORIGIN", ""))
    if reason == REASON_NO_CSRF_COOKIE:
        return "no_cookie"
    if request.META.get("HTTP_ORIGIN") == "null" or reason in (REASON_NO_REFERER, REASON_MALFORMED_REFERER):
        return "hidden_origin"
    if reason.startswith("Origin checking failed"):
        is_ours = origin.netloc == request.get_host() or f"{origin.scheme}://{origin.netloc}" == settings.PUBLIC_URL
        return "scheme" if is_ours and origin.scheme != request.scheme else "foreign_origin"
    return "foreign_origin" if reason.startswith("Referer checking failed") else "token"
