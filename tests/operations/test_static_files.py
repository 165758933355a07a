"""Files under /static/: only images, styles, scripts and fonts of the packages, with caching headers."""

import re
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders

from tests.problems import assert_problem

INTENDED = {".css", ".js", ".map", ".svg", ".png", ".eot", ".ttf", ".woff", ".woff2"}
NOTICE = re.compile(r"LICENSE|^(README|OFL)\.txt$")
"""Licence texts that the packages ship beside their files."""
SWAGGER = {"oauth2-redirect.html"}
"""A page of Swagger UI with an inline script, which the Content-Security-Policy does not allow."""


def files() -> list[str]:
    return [path for finder in get_finders() for path, _ in finder.list([])]


@pytest.mark.ledger("ASVS-13.4.7")
def test_static_files_have_only_expected_file_types() -> None:
    names = [Path(path) for path in files()]
    assert len(names) > 100
    others = {path.name for path in names if path.suffix not in INTENDED}
    assert {name for name in others - SWAGGER if not NOTICE.search(name)} == set()


@pytest.mark.ledger("ASVS-13.4.7")
@pytest.mark.parametrize(
    "path",
    [
        "latchkey/../../settings.py",
        quote("latchkey/../../settings.py", safe=""),
        "../settings.py",
        "..%2fsettings.py",
        "%2e%2e/settings.py",
        "latchkey/__init__.py",
        "latchkey/",
        "latchkey",
        "",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "admin/css/base.css.gz",
        "latchkey/home.css%00.py",
        "staticfiles.json",
        "secret",
        "latchkey.sqlite3",
    ],
)
def test_static_url_of_any_other_file_gets_404(http: httpx.Client, path: str) -> None:
    assert http.get("/static/latchkey/home.css").status_code == 200
    assert_problem(http.get(f"/static/{path}"), 404, "not_found")


@pytest.mark.ledger("ASVS-13.4.7")
def test_static_page_of_swagger_ui_runs_no_inline_script(http: httpx.Client) -> None:
    page = http.get("/static/drf_spectacular_sidecar/swagger-ui-dist/oauth2-redirect.html")
    assert page.status_code == 200
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_static_files_are_cached_for_a_minute_and_then_revalidated(http: httpx.Client) -> None:
    style = http.get("/static/latchkey/home.css")
    assert style.headers["Cache-Control"] == "max-age=60, public"
    again = http.get("/static/latchkey/home.css", headers={"If-Modified-Since": style.headers["Last-Modified"]})
    assert (again.status_code, again.content) == (304, b"")
    assert settings.MEDIA_ROOT == ""
