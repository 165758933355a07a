"""The sign-in page of the admin."""

import pytest

from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import Person
from tests.support.admin_pages import Browser, sign_in

LOGIN_ERROR = "No active staff account matches this e-mail address and password."


@pytest.mark.parametrize(
    "typed", [SUPERUSER_EMAIL, SUPERUSER_EMAIL.upper(), f"  {SUPERUSER_EMAIL} ", "Boss@EXAMPLE.com"]
)
def test_admin_login_accepts_variants_of_the_superusers_email_address(admin: Browser, typed: str) -> None:
    answer = sign_in(typed).get("/admin/")
    assert answer.status_code == 200
    assert "Dashboard | Latchkey" in answer.text


def test_admin_login_answers_wrong_password_unknown_user_and_non_staff_alike(admin: Browser, alice: Person) -> None:
    attempts = [(SUPERUSER_EMAIL, "not the password"), ("nobody@example.com", "x"), (alice.email, alice.password)]
    for email, password in attempts:
        browser = Browser()
        answer = browser.post("/admin/login/", {"username": email, "password": password})
        assert LOGIN_ERROR in answer.text
        assert browser.get("/admin/").status_code == 302


@pytest.mark.ledger("ASVS-3.5.1", "NIST-5.1-3")
def test_admin_login_without_a_csrf_token_is_rejected(admin: Browser) -> None:
    browser = Browser(enforce_csrf_checks=True)
    answer = browser.post("/admin/login/", {"username": SUPERUSER_EMAIL, "password": "correct horse battery staple"})
    assert answer.status_code == 403
    assert answer.json()["code"] == "csrf_failed"


def test_admin_index_shows_latchkeys_names_for_its_models(admin: Browser) -> None:
    page = admin.get("/admin/").text
    for name in ("Users", "Sessions", "Settings", "Audit log", "Mail queue", "Staff", "Groups"):
        assert name in page
    assert "Constance" not in page
