"""The password policy applies wherever a password is set: the API, the admin and the command line."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from latchkey.accounts.models import User
from latchkey.accounts.superuser import ensure_superuser
from latchkey.core.exceptions import ApiError, PasswordTooCommon, PasswordTooObvious, PasswordTooShort
from tests.accounts.terminal import run_in_terminal
from tests.people import Person
from tests.problems import assert_problem
from tests.support.admin_pages import USERS, Browser, user_page
from tests.support.production import HOST, production_server

GOOD = "seven purple trains to the sea"
WEAK: dict[str, tuple[str, ApiError]] = {
    "too short": ("4 trains go by", PasswordTooShort(min_length=15)),
    "common": ("1qaz2wsx3edc4rfv", PasswordTooCommon()),
    "the address": ("carol@example.com", PasswordTooObvious()),
    "the name": ("wonderland wonderland", PasswordTooObvious()),
    "the service": ("Latchkey-Latchkey-2026", PasswordTooObvious()),
}
WEAK_WITHOUT_NAME = {name: pair for name, pair in WEAK.items() if name != "the name"}
each_weak_password = pytest.mark.parametrize(("weak", "error"), WEAK.values(), ids=WEAK)
each_weak_password_without_user = pytest.mark.parametrize(
    ("weak", "error"), WEAK_WITHOUT_NAME.values(), ids=WEAK_WITHOUT_NAME
)


@pytest.fixture
def production_policy(set_policy: Callable[..., None]) -> None:
    """The password policy of production."""
    set_policy(password_min_length=15, password_blocklist=True)


def password_form(password: str) -> dict[str, str]:
    """Return the fields of a form that sets a password."""
    return {"password1": password, "password2": password, "new_password1": password, "new_password2": password}


@pytest.mark.ledger("DJ-LIST-10", "NIST-3.1.1.2-12")
@each_weak_password_without_user
def test_register_applies_the_password_policy(production_policy: None, alice: Person, weak: str, error: Any) -> None:
    body = {"email": "carol@example.com", "password": weak}
    assert_problem(alice.http.post("/api/register/", json=body), 400, error.code, ["password"])
    assert not User.objects.filter(email="carol@example.com").exists()
    assert alice.http.post("/api/register/", json=body | {"password": GOOD}).status_code == 201


@pytest.mark.ledger("DJ-LIST-10", "ASVS-6.2.11")
@each_weak_password
def test_admin_add_user_applies_the_password_policy(
    production_policy: None, admin: Browser, weak: str, error: Any
) -> None:
    form = {"email": "carol@example.com", "username": "Wonderland"}
    page = admin.post(f"{USERS}add/", form | password_form(weak))
    assert page.context["errors"] == [[error.detail]]
    assert User.objects.count() == 1
    assert admin.post(f"{USERS}add/", form | password_form(GOOD)).status_code == 302
    assert User.objects.get(email="carol@example.com").check_password(GOOD)


@pytest.mark.ledger("DJ-LIST-10", "ASVS-6.2.11")
@each_weak_password
def test_admin_set_password_of_a_user_applies_the_password_policy(
    production_policy: None, admin: Browser, weak: str, error: Any
) -> None:
    carol = User.objects.create_user("carol@example.com", "the password of before", username="Wonderland")
    page = admin.post(user_page(carol.pk, "password"), password_form(weak))
    assert page.context["form"].errors["password2"] == [error.detail]
    assert User.objects.get(pk=carol.pk).check_password("the password of before")
    assert admin.post(user_page(carol.pk, "password"), password_form(GOOD)).status_code == 302
    assert User.objects.get(pk=carol.pk).check_password(GOOD)


@pytest.mark.ledger("DJ-LIST-10", "ASVS-2.1.2")
@each_weak_password
def test_admin_change_own_password_applies_the_password_policy(
    production_policy: None, admin: Browser, weak: str, error: Any
) -> None:
    boss = User.objects.get()
    User.objects.filter(pk=boss.pk).update(email="carol@example.com", username="Wonderland")
    form = {"old_password": "correct horse battery staple"}
    page = admin.post("/admin/password_change/", form | password_form(weak))
    assert page.context["form"].errors["new_password2"] == [error.detail]
    assert admin.post("/admin/password_change/", {"old_password": "no"} | password_form(GOOD)).status_code == 200
    assert admin.post("/admin/password_change/", form | password_form(GOOD)).status_code == 302
    assert User.objects.get(pk=boss.pk).check_password(GOOD)


@pytest.mark.slow
@pytest.mark.ledger("DJ-LIST-10", "ASVS-6.1.2")
def test_interactive_createsuperuser_and_changepassword_apply_the_password_policy(
    tmp_path: Path, database_url: str
) -> None:
    server = production_server(tmp_path, database_url)
    assert server.command("migrate", "--verbosity", "0").returncode == 0
    weak = [WEAK["too short"], WEAK["common"], WEAK["the address"], (f"{HOST} 2026", PasswordTooObvious())]
    with run_in_terminal(server, "createsuperuser") as screen:
        screen.answer("address: ", "carol@example.com")
        for password, error in weak:
            screen.answer("Password: ", password)
            screen.answer("Password (again): ", password)
            assert error.detail in screen.answer("[y/N]: ", "n")
        screen.answer("Password: ", GOOD)
        screen.answer("Password (again): ", GOOD)
    with run_in_terminal(server, "changepassword", "carol@example.com") as screen:
        message = ""
        for password, error in weak[-2:]:  # Django asks three times
            assert message in screen.answer("Password: ", password)
            screen.answer("Password (again): ", password)
            message = error.detail
        assert message in screen.answer("Password: ", GOOD + "!")
        screen.answer("Password (again): ", GOOD + "!")
    assert server.shell(f"print(User.objects.get().check_password({GOOD + '!'!r}))") == "True"


@pytest.mark.ledger("DJ-LIST-10")
@each_weak_password_without_user
def test_createsuperuser_without_input_applies_the_password_policy(
    production_policy: None, db: None, monkeypatch: pytest.MonkeyPatch, weak: str, error: Any
) -> None:
    carol: dict[str, Any] = {"email": "carol@example.com", "interactive": False, "verbosity": 0}
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", weak)
    with pytest.raises(CommandError, match=error.detail):
        call_command("createsuperuser", **carol)
    assert not User.objects.exists()
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", GOOD)
    call_command("createsuperuser", **carol)
    assert User.objects.get(is_superuser=True).check_password(GOOD)


@pytest.mark.ledger("DJ-LIST-10")
@each_weak_password_without_user
def test_superuser_from_the_environment_must_satisfy_the_password_policy(
    production_policy: None, db: None, weak: str, error: Any
) -> None:
    with pytest.raises(ValueError, match=error.detail):
        ensure_superuser("carol@example.com", weak)
    assert not User.objects.exists()
    assert ensure_superuser("carol@example.com", GOOD) is None
    assert User.objects.get(is_superuser=True).check_password(GOOD)


def test_admin_pages_show_no_password_and_no_hash(admin: Browser, alice: Person) -> None:
    pages_with_fields = user_page(alice.id, "password"), f"{USERS}add/", "/admin/password_change/"
    named = r'<input[^>]*name="\w*password\d?"[^>]*>'
    fields = [field for page in pages_with_fields for field in re.findall(named, admin.get(page).text)]
    assert len(fields) == 7
    assert [field for field in fields if 'type="password"' not in field] == []
    secret = User.objects.get(pk=alice.id).password
    for page in (user_page(alice.id), user_page(alice.id, "history"), *pages_with_fields):
        assert secret.rpartition("$")[2] not in admin.get(page).text


def test_superuser_from_the_environment_does_not_take_over_an_existing_account(alice: Person) -> None:
    with pytest.raises(ValueError, match="an account with this address exists"):
        ensure_superuser(alice.email.upper(), GOOD)
    assert not User.objects.filter(is_superuser=True).exists()
