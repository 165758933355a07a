"""API keys in the admin: the list, keys of applications that a superuser adds, and keys that staff revoke."""

import re
from collections.abc import Callable

import pytest

from latchkey.accounts.models import User
from latchkey.api_keys.models import ApiKey
from latchkey.audit.models import AuditEvent
from tests.api_keys.requests import create, create_application, create_of_application, use
from tests.people import Person
from tests.support.admin_pages import Browser, run_action

PAGE = "/admin/latchkey/apikey/"
ADD = f"{PAGE}add/"


def test_superuser_creates_a_key_of_an_application_which_is_shown_once(admin: Browser, alice: Person) -> None:
    create_application("billing", ["users:read"])
    assert "billing" in admin.get(ADD).text
    sent = {"application": "billing", "name": "Nightly", "scopes": ["users:read"], "expires_in_days": "30"}
    answer = admin.post(ADD, sent)
    (key,) = re.findall(r"latchkey_a[0-9A-Za-z]{55}", answer.text)
    assert "no-store" in answer["Cache-Control"]
    assert use(alice.http, key).status_code == 403
    row = ApiKey.objects.get()
    event = AuditEvent.objects.get(name="api_key.created")
    assert (event.actor_id, event.detail) == (User.objects.get(is_superuser=True).pk, f"{row.key_id} billing")
    for path in (PAGE, f"{PAGE}{row.pk}/change/", f"{PAGE}{row.pk}/history/"):
        page = admin.get(path)
        assert page.status_code == 200
        assert row.name in page.text
        assert key not in page.text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"scopes": ["users:write"]}, "The owner of the key does not have the scope"),
        ({"scopes": ["none"]}, "not one of the available choices"),
        ({"name": " "}, "This field is required"),
        ({"name": "a\u202eb"}, "cannot be shown"),
        ({"expires_in_days": "367"}, "Write a number of days from 1 to 366."),
        ({"expires_in_days": "0"}, "greater than or equal to 1"),
        ({"application": "nobody"}, "not one of the available choices"),
    ],
)
def test_wrong_input_is_shown_at_its_field(admin: Browser, typed: dict[str, object], sentence: str) -> None:
    create_application("billing", ["users:read"])
    answer = admin.post(ADD, {"application": "billing", "name": "Nightly"} | typed)
    assert sentence in answer.text
    assert not ApiKey.objects.exists()


def test_staff_who_are_no_superusers_create_no_key(staff: Callable[..., Browser]) -> None:
    create_application("billing")
    browser = staff("view_apikey", "add_apikey", "change_apikey", "delete_apikey")
    assert browser.get(ADD).status_code == 403
    assert browser.post(ADD, {"application": "billing", "name": "x"}).status_code == 403
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("term", ["alice@example.com", "Backup", "{id}"])
def test_key_is_found_by_owner_name_and_id(admin: Browser, alice: Person, bob: Person, term: str) -> None:
    created = create(alice, name="Backup")
    create(bob, name="Other")
    create_of_application(create_application("billing"))
    page = admin.get(PAGE, {"q": term.format(**created)})
    assert created["id"] in page.text
    assert "bob@example.com" not in page.text


def test_key_of_an_application_is_found_by_client_id_and_kind_of_owner(admin: Browser, alice: Person) -> None:
    create(alice, name="Backup")
    create_of_application(create_application("billing"))
    for query in ({"q": "billing"}, {"owner": "application"}):
        page = admin.get(PAGE, query)
        assert "Nightly" in page.text
        assert "Backup" not in page.text


def test_selected_keys_are_revoked_with_the_operator_in_the_log(
    staff: Callable[..., Browser], alice: Person, bob: Person
) -> None:
    made = [create(alice), create(bob)]
    browser = staff("view_apikey", "delete_apikey")
    ids = list(ApiKey.objects.order_by("pk").values_list("pk", flat=True))
    run_action(browser, PAGE, "delete_selected", *ids)
    assert [use(alice.http, each["key"]).status_code for each in made] == [401, 401]
    clerk = User.objects.get(email="clerk@example.com").pk
    found = AuditEvent.objects.filter(name="api_key.revoked").order_by("id")
    assert [(event.user_id, event.actor_id, event.detail) for event in found] == [
        (alice.id, clerk, made[0]["id"]),
        (bob.id, clerk, made[1]["id"]),
    ]


def test_one_key_is_revoked_on_its_page(admin: Browser, alice: Person) -> None:
    created = create(alice)
    path = f"{PAGE}{ApiKey.objects.get().pk}/delete/"
    assert alice.email in admin.get(path).text
    admin.post(path, {"post": "yes"})
    assert use(alice.http, created["key"]).status_code == 401


def test_key_of_staff_is_revoked_by_superusers_alone(
    staff: Callable[..., Browser], admin: Browser, alice: Person
) -> None:
    created = create(alice)
    User.objects.filter(pk=alice.id).update(is_staff=True)
    browser, row = staff("view_apikey", "delete_apikey"), ApiKey.objects.get()
    run_action(browser, PAGE, "delete_selected", row.pk)
    assert browser.post(f"{PAGE}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert use(alice.http, created["key"]).status_code == 200
    run_action(admin, PAGE, "delete_selected", row.pk)
    assert use(alice.http, created["key"]).status_code == 401


def test_query_string_finds_out_no_digest(admin: Browser, alice: Person) -> None:
    create(alice)
    assert admin.get(f"{PAGE}?digest__startswith=a").status_code in (302, 400)
