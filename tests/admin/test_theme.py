"""The look of the admin area, and what it must not cost."""

from collections.abc import Callable
from hashlib import sha256

import pytest

from tests.people import Person
from tests.support.admin_pages import SESSIONS, USERS, Browser, user_page
from tests.support.package_ast import PACKAGE

ALPINE = "0d18d7f8d7910e2e0212f0f056b12f50bebc3abb7d88d2f7c7cb4c336fe4519a"
"""dist/cdn.min.js of @alpinejs/csp 3.17.4, as the registry has it."""


@pytest.mark.ledger("ASVS-3.4.3")
def test_scripts_come_from_our_files_and_evaluate_nothing(admin: Browser) -> None:
    for page in ("/admin/", "/admin/login/", USERS):
        policy = admin.get(page, follow=True)["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "unsafe-eval" not in policy


def test_alpine_is_the_build_that_was_published() -> None:
    assert sha256((PACKAGE / "static/unfold/js/alpine/alpine.js").read_bytes()).hexdigest() == ALPINE


def test_the_build_that_evaluates_nothing_is_the_one_that_is_served(admin: Browser) -> None:
    served = admin.get("/static/unfold/js/alpine/alpine.js")
    assert sha256(b"".join(served.streaming_content)).hexdigest() == ALPINE


def test_there_is_no_search_over_all_pages(admin: Browser) -> None:
    for query in ("", "?s=user", "?s=user&page=x"):
        assert admin.get(f"/admin/search/{query}").status_code == 404


def test_the_menu_shows_what_one_may_open_and_nothing_else(admin: Browser, staff: Callable[..., Browser]) -> None:
    links = (USERS, SESSIONS, "/admin/constance/config/", "/admin/auth/group/")
    page = admin.get("/admin/password_change/").text
    assert [link in page for link in links] == [True, True, True, True]
    page = staff("view_session").get("/admin/password_change/").text
    assert [link in page for link in links] == [False, True, False, False]


def test_times_are_written_as_in_the_log_and_addresses_as_they_are(admin: Browser, alice: Person) -> None:
    page = admin.get(user_page(alice.id)).text
    assert " UTC" in page
    assert "a.m." not in page
    assert "Alice@example.com" not in page
