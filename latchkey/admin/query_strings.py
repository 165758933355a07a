"""Query strings of admin pages: one that cannot be used leads to the page without it, and a message, never to an error.

Django's lists take any lookup on any column out of the query string. A year 10000, a NUL byte or an unknown lookup
would be an error 500 or a bare 400.
"""

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any

import structlog
from django.contrib import messages
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import FieldError, PermissionDenied, SuspiciousOperation, ValidationError
from django.db import DataError, InterfaceError, OperationalError, ProgrammingError, connection, transaction
from django.http import Http404, HttpRequest
from django.shortcuts import redirect
from django.template.response import SimpleTemplateResponse

log = structlog.get_logger(__name__)

REJECTED = "A filter or parameter in the address of this page cannot be used, and was left out."

REJECTED_FORM = "A value of the form cannot be used."

UNUSABLE = (
    *(ValueError, TypeError, LookupError, ArithmeticError, FieldError, ValidationError, SuspiciousOperation),
    *(DataError, ProgrammingError),
)
"""Errors of a query string or an id that a request which changes something may meet."""

OUTAGES = (OperationalError, InterfaceError)
"""Errors of a database that does not answer, whatever the query string is."""

INVALID_SETUP = "admin/invalid_setup.html"
"""Django's page for a list that fails twice; it says that the database is broken."""


def tolerate_query(view: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap an admin view: where it fails because of what the request says, redirect to the page without a query string.

    A page is rendered here, because a list reads its rows only then. Where it fails without a query string, too, the
    next request shows the error. A form fails for a forged id of a row, such as a word.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        names, reads = set(request.GET) - {ERROR_FLAG}, request.method in ("GET", "HEAD")
        if reads and not names:
            return view(request, *args, **kwargs)
        if any(name.endswith("regex") for name in names):  # a wrong one looks like a failing database on SQLite
            return without_query(request, "regex")
        try:
            with transaction.atomic() if connection.in_atomic_block else nullcontext():  # a failure must not abort it
                response = view(request, *args, **kwargs)
                if isinstance(response, SimpleTemplateResponse):
                    response.render()
        except (Http404, PermissionDenied):
            raise
        except Exception as error:
            if isinstance(error, OUTAGES) or not (reads or isinstance(error, UNUSABLE)):
                raise
            return without_query(request, type(error).__name__)
        if getattr(response, "template_name", "") == INVALID_SETUP:
            return without_query(request, "lookup")
        if response.status_code == 302 and response["Location"] == f"{request.path}?{ERROR_FLAG}=1":
            messages.warning(request, REJECTED)
        return response

    return wrapper


def without_query(request: HttpRequest, reason: str) -> Any:
    """Redirect to the same page without its query string, with a message; the log has the kind of error.

    A form that failed is logged with the traceback: it may be a mistake of ours.
    """
    reads = request.method in ("GET", "HEAD")
    log.warning("admin_query.rejected", reason=reason, exc_info=not reads)
    messages.warning(request, REJECTED if reads or request.GET else REJECTED_FORM)
    return redirect(f"{request.path}?{ERROR_FLAG}=1")
