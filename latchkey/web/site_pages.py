"""What all pages for people share: the site in their context, and a content security policy that admits its logo."""

from typing import Any

from django.http import HttpResponse

from latchkey.conf.site import Site

PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:{images}; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
    "frame-ancestors 'none'"
)
"""Scripts come from our own files alone; Swagger UI and the admin set styles on elements, hence 'unsafe-inline'."""


def page_csp(site: Site | None = None) -> str:
    """Return the content security policy of a page, which may load the logo of the site and nothing else of others."""
    return PAGE_CSP.format(images=f" {site.logo_origin}" if site and site.logo_origin else "")


def site_context(site: Site, **context: Any) -> dict[str, Any]:
    """Return the context of a page, with the button that leads on to the application; continue_url may say where."""
    return {"site": site, "continue_url": site.app_url, **context}


def add_page_headers(response: HttpResponse, site: Site) -> None:
    """Set the headers of a page that differ by site."""
    response.headers["Content-Security-Policy"] = page_csp(site)
