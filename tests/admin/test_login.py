"""The door of the admin."""

import pytest

from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import Person
from tests.support.admin_pages import Browser, sign_in

REFUSAL = "No active staff account matches this e-mail address and password."


@pytest.mark.parametrize(
    "typed", [SUPERUSER_EMAIL, SUPERUSER_EMAIL.upper(), f"  {SUPERUSER_EMAIL} ", "Boss@EXAMPLE.com"]
)
def test_a_superuser_signs_in_with_any_spelling_of_the_address(admin: Browser, typed: str) -> None:
    answer = sign_in(typed).get("/admin/")
    assert answer.status_code == 200
    assert "Accounts, sessions and settings" in answer.text


def test_a_wrong_password_and_a_stranger_are_told_the_same(admin: Browser, alice: Person) -> None:
    tried = [(SUPERUSER_EMAIL, "not the password"), ("nobody@example.com", "x"), (alice.email, alice.password)]
    for email, password in tried:
        browser = Browser()
        answer = browser.post("/admin/login/", {"username": email, "password": password})
        assert REFUSAL in answer.text
        assert browser.get("/admin/").status_code == 302


@pytest.mark.ledger("ASVS-3.5.1", "NIST-5.1-3")
def test_a_form_from_elsewhere_signs_nobody_in(admin: Browser) -> None:
    browser = Browser(enforce_csrf_checks=True)
    answer = browser.post("/admin/login/", {"username": SUPERUSER_EMAIL, "password": "correct horse battery staple"})
    assert answer.status_code == 403
    assert answer.json()["code"] == "csrf_failed"


def test_the_index_calls_things_by_our_names(admin: Browser) -> None:
    page = admin.get("/admin/").text
    for name in ("Users", "Sessions", "Settings", "Lifetimes and rules", "Staff", "Groups"):
        assert name in page
    assert "Constance" not in page
