"""Error pages: outside /api/ a person's browser gets a page that says what to do, and a script a problem document."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from latchkey.core.exceptions import ContentTooLarge, RequestTimeout, ServiceUnavailable
from latchkey.server.hashing_routes import HashingRoutes
from latchkey.web.openapi.operation import ALL_ERRORS
from tests.fixtures.database import DatabaseDown
from tests.people import Person
from tests.problems import assert_error_page, assert_problem
from tests.support.captured_log import CapturedLog

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}
SCRIPTS = ["*/*", "application/json", "application/json, text/plain, */*", "text/html;q=0", "garbage", ""]
FORMS = ["/forgot-password/", "/reset-password/", "/verify-email/", "/confirm-email/", "/admin/login/"]
FORMS += ["/account/sign-in/", "/account/confirm/"]
FORMS += ["/recover-factors/", "/cancel-recovery/"]
HERE = "http://127.0.0.1:8000"
each_form = pytest.mark.parametrize("path", FORMS)


@pytest.fixture
def browser(http: httpx.Client) -> Iterator[httpx.Client]:
    """A person's browser: it keeps cookies and asks for pages."""
    with httpx.Client(transport=http._transport, base_url=http.base_url, headers=BROWSER) as client:
        yield client


def csrf_token(browser: httpx.Client) -> str:
    """Open a page with a form, which sets the cookie, and return the token of its form."""
    (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get("/forgot-password/").text)
    return str(token)


@pytest.mark.parametrize("path", ["/nothing", "/livez/", "/static/nothing.js", "/reset-password"])
def test_unknown_page_is_a_page_for_a_browser(browser: httpx.Client, path: str) -> None:
    assert_error_page(browser.get(path), 404, "Page not found")


@pytest.mark.parametrize("accept", SCRIPTS)
def test_unknown_page_is_a_problem_document_for_a_script(http: httpx.Client, accept: str) -> None:
    assert_problem(http.get("/nothing", headers={"Accept": accept}), 404, "not_found")


@pytest.mark.parametrize("path", ["/api", "/api/nothing", "/api/nothing/", "/api/me/1"])
def test_errors_of_the_api_stay_problem_documents_for_a_browser(browser: httpx.Client, path: str) -> None:
    assert_problem(browser.get(path), 404, "not_found")


@each_form
def test_form_without_a_cookie_says_to_allow_cookies(browser: httpx.Client, path: str) -> None:
    answer = browser.post(path, data={"email": "alice@example.com"}, headers={"Origin": HERE})
    assert_error_page(answer, 403, "Your browser sent no cookie")
    assert f'href="{path}"' in answer.text


@each_form
def test_form_whose_origin_the_browser_hides_says_so(browser: httpx.Client, path: str) -> None:
    form = {"csrfmiddlewaretoken": csrf_token(browser), "email": "alice@example.com"}
    answer = browser.post(path, data=form, headers={"Origin": "null"})
    assert_error_page(answer, 403, "Your browser hid where the form came from")


@each_form
def test_form_behind_a_proxy_that_forgets_the_scheme_names_the_header_for_the_operator(
    browser: httpx.Client, captured_log: CapturedLog, path: str
) -> None:
    form = {"csrfmiddlewaretoken": csrf_token(browser), "email": "alice@example.com"}
    answer = browser.post(path, data=form, headers={"Origin": "https://127.0.0.1:8000"})
    assert_error_page(answer, 403, "The form was not accepted")
    assert "X-Forwarded-Proto: https" in answer.text.replace("&#x27;", "'")
    assert [line["reason"] for line in captured_log.lines("csrf.failed")] == ["scheme"]


@each_form
def test_form_of_another_site_says_so(browser: httpx.Client, path: str) -> None:
    form = {"csrfmiddlewaretoken": csrf_token(browser)}
    answer = browser.post(path, data=form, headers={"Origin": "https://evil.example"})
    assert_error_page(answer, 403, "The form came from another site")
    assert "evil.example" not in answer.text


@each_form
def test_form_that_is_out_of_date_says_to_open_it_again(browser: httpx.Client, path: str) -> None:
    csrf_token(browser)
    for stale in ({}, {"csrfmiddlewaretoken": "x" * 64}, {"csrfmiddlewaretoken": "short"}):
        answer = browser.post(path, data=stale, headers={"Origin": HERE})
        assert_error_page(answer, 403, "This form is out of date")


def test_form_without_a_csrf_token_is_a_problem_document_for_a_script(http: httpx.Client) -> None:
    assert_problem(http.post("/forgot-password/", data={"email": "x@example.com"}), 403, "csrf_failed")


def test_unknown_host_is_a_page_that_names_the_setting_for_the_operator(browser: httpx.Client) -> None:
    answer = browser.get("/forgot-password/", headers={"Host": "evil.example"})
    assert_error_page(answer, 400, "This site is not known at this address")
    assert "LATCHKEY_ALLOWED_HOSTS" in answer.text
    assert "evil" not in answer.text


def test_page_that_takes_no_post_is_a_page_for_a_browser(browser: httpx.Client) -> None:
    answer = browser.post("/")
    assert_error_page(answer, 405, "This page cannot be used like that")
    assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/readyz", "/reset-password/?token=x", "/admin/login/"])
def test_page_is_a_503_page_while_the_database_is_down(
    browser: httpx.Client, database_down: DatabaseDown, path: str
) -> None:
    token = csrf_token(browser)
    with database_down():
        if path == "/admin/login/":
            form = {"csrfmiddlewaretoken": token, "username": "a@example.com", "password": "x"}
            answer = browser.post(path, data=form, headers={"Origin": HERE})
        else:
            answer = browser.get(path)
        assert_error_page(answer, 503, "The service is busy")
    assert f"Try again in {answer.headers['Retry-After']} second" in answer.text


def test_500_page_has_the_number_of_its_log_lines(browser: httpx.Client, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.support.raising_urls"
    answer = browser.get("/mistake")
    assert_error_page(answer, 500, "Something went wrong")
    assert answer.headers["X-Request-ID"] in answer.text


@pytest.mark.parametrize(
    ("error", "status", "heading"),
    [
        (ServiceUnavailable, 503, "The service is busy"),
        (RequestTimeout, 408, "Your connection is too slow"),
        (ContentTooLarge, 413, "That is too much text"),
    ],
)
@pytest.mark.parametrize("path", ["/reset-password/", "/admin/login/", "//evil.example/x", "/\\\\evil.example"])
def test_refusal_of_the_server_before_django_is_a_page_for_a_browser(
    http: httpx.Client, error: Any, status: int, heading: str, path: str
) -> None:
    from latchkey.wsgi import application

    def with_error(environ: dict[str, Any], start_response: Any) -> Any:
        return application(environ | {"latchkey.error": error(), "PATH_INFO": path}, start_response)

    transport = httpx.WSGITransport(app=with_error)
    with httpx.Client(transport=transport, base_url=HERE) as client:
        answer = client.post("/", headers=BROWSER)
        assert_error_page(answer, status, heading)
        assert not re.search(r'href="/[/\\]', answer.text)
        assert_problem(client.post("/"), status, error.code)


def test_every_form_that_hashes_a_password_is_one_of_the_tested_forms() -> None:
    pages = {path for _, path in HashingRoutes().paths if not path.startswith(("/api/", "/admin/"))}
    assert {f"{path}/" for path in pages} <= set(FORMS)


def test_signed_in_staff_without_a_permission_get_a_page(staff: Any) -> None:
    answer = staff("view_user").get("/admin/latchkey/mail/", headers=BROWSER)
    assert answer.status_code == 403
    assert "You may not open this page" in answer.text


def test_wrong_accept_header_never_breaks_an_error(alice: Person) -> None:
    for accept in ("text/html;q=x", "text/html;" * 500, "text/html;a*=x''%ff", "text/html;a=" + "\\" * 5000, ",;=,"):
        assert alice.http.get("/nothing", headers={"Accept": accept}).status_code == 404


def test_every_error_has_a_page_with_something_to_do(http: httpx.Client) -> None:
    from latchkey.wsgi import application

    for error in ALL_ERRORS:

        def with_error(environ: dict[str, Any], start_response: Any, error: Any = error) -> Any:
            return application(environ | {"latchkey.error": error()}, start_response)

        with httpx.Client(transport=httpx.WSGITransport(app=with_error), base_url=HERE) as client:
            answer = client.get("/reset-password/", headers=BROWSER)
            assert answer.status_code == error.status
            assert re.search(r'<p role="alert">[^<]{20,}</p>', answer.text), error
