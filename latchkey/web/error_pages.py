"""Error pages: what a person's browser gets outside /api/ in place of a problem document, with what to do next.

Every refusal is made as a problem document first (problems.py). The outermost middleware turns it into a page where a
browser asks for one, so that no refusal can be forgotten: those of views, of Django's middleware, and of the server
before Django. Scripts, which do not ask for text/html, get the problem document.
"""

import json
from typing import NamedTuple

import structlog
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers

from latchkey.conf.policy import current_policy, last_policy
from latchkey.conf.site import Site, current_site
from latchkey.core import exceptions as errors
from latchkey.telemetry.request_log import current_request_id
from latchkey.web.problems import CONTENT_TYPE
from latchkey.web.site_pages import add_page_headers, site_context

log = structlog.get_logger(__name__)


class Advice(NamedTuple):
    """What an error page says: the heading, what to do, and what the operator of the site may have to mend."""

    heading: str
    what_to_do: str
    for_operator: str = ""


ADVICE = {
    errors.BadRequest.code: Advice(
        "This request could not be read", "Check the address, and type it again or open the page anew."
    ),
    errors.PermissionDenied.code: Advice(
        "You may not open this page",
        "Your account has no permission for it. Sign in with another account, or ask an administrator for permission.",
    ),
    errors.CsrfFailed.code: Advice("The form was not accepted", "Open the page again and send the form once more."),
    errors.NotFound.code: Advice(
        "Page not found", "Check the address. A link out of a mail may be cut off: copy all of it into the address bar."
    ),
    errors.MethodNotAllowed.code: Advice("This page cannot be used like that", "Open its address anew."),
    errors.RequestTimeout.code: Advice(
        "Your connection is too slow", "The form did not arrive in time. Send it again."
    ),
    errors.ContentTooLarge.code: Advice("That is too much text", "Shorten what you typed, and send the form again."),
    errors.TooManyAttempts.code: Advice("Too many attempts", "Nothing was checked or changed."),
    errors.InternalServerError.code: Advice(
        "Something went wrong",
        "The mistake is ours and has been logged. Try again in a few minutes. If it happens again, report the number "
        "below.",
    ),
    errors.ServiceUnavailable.code: Advice(
        "The service is busy", "Nothing is lost. Wait a moment, and then open the page or send the form again."
    ),
}
"""The advice of each error that a person can meet, by its code; other errors show their own sentences."""

UNKNOWN_HOST = Advice(
    "This site is not known at this address",
    "Check the address for typing errors.",
    "Add the host name to LATCHKEY_ALLOWED_HOSTS.",
)
_SEND_AGAIN = "Then open the page again and send the form once more."
CSRF_ADVICE = {
    "no_cookie": Advice(
        "Your browser sent no cookie",
        f"Forms need one cookie, which only protects them. Allow cookies for this site. {_SEND_AGAIN}",
        "Over plain http a browser drops the cookie in production: redirect http to https.",
    ),
    "hidden_origin": Advice(
        "Your browser hid where the form came from",
        "A privacy setting, an extension or the window of an app can do that. Open the page in an ordinary window of "
        "your browser. Then send the form once more.",
    ),
    "scheme": Advice(
        "The form was not accepted",
        "This site is not set up correctly, and you cannot mend it. Please tell its operator.",
        "The reverse proxy must send 'X-Forwarded-Proto: https', and LATCHKEY_TRUSTED_PROXIES must be 1 or more.",
    ),
    "foreign_origin": Advice(
        "The form came from another site", "Open the page at this site, and send the form from there."
    ),
    "token": Advice(
        "This form is out of date", f"You may have signed in or out in another window meanwhile. {_SEND_AGAIN}"
    ),
}
"""The advice of a failed CSRF check, by its reason (problems.py)."""


def to_page(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Turn a problem document into a page if a person's browser asked for it; return the response."""
    if response.headers.get("Content-Type") != CONTENT_TYPE or is_api_path(request.path) or not prefers_html(request):
        return response
    needs_no_database = response.status_code >= 500 or "latchkey.error" in request.META
    site = current_site(last_policy() if needs_no_database else current_policy())
    try:
        page = render_error_page(request, json.loads(response.content), site)
    except Exception:  # anything that an operator's template can raise: the problem document is better than nothing
        log.exception("request_failed")
        return response
    del response.headers["Content-Length"]
    response.content = page
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    patch_vary_headers(response, ["Accept"])
    add_page_headers(response, site)
    return response


def is_api_path(path: str) -> bool:
    """Tell whether this is a path of the API, which answers in its own format whatever is accepted."""
    return path == "/api" or path.startswith("/api/")


def prefers_html(request: HttpRequest) -> bool:
    """Tell whether the client would rather have a page; a browser says so, a script accepts anything."""
    try:
        return request.get_preferred_type(["application/json", "text/html"]) == "text/html"
    except (ValueError, LookupError):  # an Accept that cannot be parsed
        return False


def render_error_page(request: HttpRequest, problem: dict[str, object], site: Site) -> str:
    """Return the page for a problem document."""
    code = str(problem["code"])
    advice = ADVICE.get(code) or Advice(str(problem["title"]), str(problem["detail"]))
    if reason := request.META.get("latchkey.refused"):
        advice = CSRF_ADVICE.get(reason, advice) if code == errors.CsrfFailed.code else UNKNOWN_HOST
    context = site_context(
        site,
        advice=advice,
        status=problem["status"],
        wait=problem.get("retry_after"),
        request_id=current_request_id() if code == errors.InternalServerError.code else "",
        again="/" + request.path.lstrip("/\\") if request.method == "POST" else "",
    )
    return render_to_string("latchkey/error_page.html", context)
