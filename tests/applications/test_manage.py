"""Applications: what a change does to the tokens that were issued before, and which values are refused."""

from datetime import timedelta

import pytest
from time_machine import Traveller

from latchkey.api_keys.models import ApiKey
from latchkey.applications import manage
from latchkey.applications.manage import Change
from latchkey.applications.models import Application, ClientCredential
from latchkey.applications.secrets import add_secret, remove_secrets
from latchkey.audit.log import COMMAND_LINE, Operator
from latchkey.audit.models import AuditEvent
from latchkey.authorization.scope_changes import create_scope
from tests.applications.keys import make_jwk
from tests.applications.tokens import is_accepted, issue, scopes_of

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def orders(clock: Traveller) -> str:
    """The client id of an application with a secret, a scope, and an age of some seconds."""
    create_scope("orders:read", "Read all orders.", COMMAND_LINE)
    manage.create_application("orders", Change(scopes=["orders:read", "users:read"]), COMMAND_LINE)
    add_secret("orders", COMMAND_LINE)
    clock.shift(5 * SECOND)
    return "orders"


def event_details(name: str) -> list[str]:
    return list(AuditEvent.objects.filter(name=name).order_by("pk").values_list("detail", flat=True))


@pytest.mark.parametrize(
    "act",
    [
        manage.revoke_tokens,
        manage.deactivate_application,
        manage.delete_application,
        lambda client_id, operator: remove_secrets(client_id, operator, older=False),
    ],
    ids=["revoke_tokens", "deactivate", "delete", "remove_secrets"],
)
def test_change_that_ends_tokens_refuses_them_at_the_next_request(clock: Traveller, orders: str, act: object) -> None:
    token, other = issue(orders, "orders:read"), manage.create_application("", Change(), COMMAND_LINE)
    of_other = issue(other.client_id)
    clock.shift(SECOND)
    assert (is_accepted(token), is_accepted(of_other)) == (True, True)
    assert callable(act)
    act(orders, COMMAND_LINE)
    assert (is_accepted(token), is_accepted(of_other)) == (False, True)


def test_token_of_the_same_second_as_the_revocation_is_refused_and_one_of_the_next_second_is_not(
    clock: Traveller, orders: str
) -> None:
    token = issue(orders)
    manage.revoke_tokens(orders, COMMAND_LINE)
    assert not is_accepted(token)
    clock.shift(SECOND)
    assert is_accepted(issue(orders))


def test_new_application_gets_tokens_in_the_second_of_its_creation(orders: str) -> None:
    manage.create_application("fresh", Change(), COMMAND_LINE)
    assert is_accepted(issue("fresh"))


def test_reactivated_application_gets_new_tokens_and_its_old_ones_stay_refused(clock: Traveller, orders: str) -> None:
    old = issue(orders)
    assert manage.deactivate_application(orders, COMMAND_LINE)
    assert not manage.deactivate_application(orders, COMMAND_LINE)
    assert not is_accepted(issue(orders))
    assert manage.reactivate_application(orders, COMMAND_LINE)
    assert not manage.reactivate_application(orders, COMMAND_LINE)
    clock.shift(2 * SECOND)
    assert (is_accepted(old), is_accepted(issue(orders))) == (False, True)


def test_token_of_a_deleted_application_is_not_valid_for_a_new_one_with_the_same_client_id(
    clock: Traveller, orders: str
) -> None:
    old = issue(orders)
    manage.delete_application(orders, COMMAND_LINE)
    clock.shift(2 * SECOND)
    manage.create_application(orders, Change(), COMMAND_LINE)
    assert (is_accepted(old), is_accepted(issue(orders))) == (False, True)


def test_deleted_application_leaves_no_secret_and_no_api_key(orders: str) -> None:
    application = Application.objects.get(client_id=orders)
    ApiKey.objects.create(application=application, key_id="k", digest=b"d", name="deploy", scopes="orders:read")
    manage.delete_application(orders, COMMAND_LINE)
    assert not ClientCredential.objects.exists()
    assert not ApiKey.objects.exists()


def test_scope_that_was_taken_away_is_gone_from_tokens_at_the_next_request(orders: str) -> None:
    token = issue(orders, "orders:read", "users:read")
    assert scopes_of(token) == {"orders:read", "users:read"}
    assert manage.change_application(orders, Change(scopes=["orders:read"]), COMMAND_LINE) == ["scopes"]
    assert scopes_of(token) == {"orders:read"}


def test_removal_of_the_older_secret_leaves_the_tokens_valid(clock: Traveller, orders: str) -> None:
    add_secret(orders, COMMAND_LINE)
    token = issue(orders)
    assert remove_secrets(orders, COMMAND_LINE, older=True) == 1
    assert is_accepted(token)


def test_removal_of_the_last_credential_refuses_a_token_that_is_signed_at_this_moment(
    clock: Traveller, orders: str
) -> None:
    remove_secrets(orders, COMMAND_LINE, older=False)
    clock.shift(SECOND)
    assert not is_accepted(issue(orders))
    clock.shift(SECOND)
    assert is_accepted(issue(orders))


def test_removal_of_all_public_keys_refuses_the_tokens(clock: Traveller, orders: str) -> None:
    manage.change_application(orders, Change(public_keys=[make_jwk()]), COMMAND_LINE)
    token = issue(orders)
    assert manage.change_application(orders, Change(public_keys=[]), COMMAND_LINE) == ["public_keys"]
    assert not is_accepted(token)


def test_change_stores_what_is_given_and_no_more_and_records_names_without_values(orders: str) -> None:
    values = Change(name=" The shop ", resources=["https://a.example/", "https://a.example/"])
    assert manage.change_application(orders, values, Operator(7)) == ["name", "resources"]
    assert manage.change_application(orders, values, Operator(7)) == []
    row = Application.objects.get(client_id=orders)
    assert (row.name, row.resources, row.scopes.count()) == ("The shop", ["https://a.example/"], 2)
    event = AuditEvent.objects.get(name="application.changed")
    assert (event.detail, event.actor_id) == ("orders: name, resources", 7)


@pytest.mark.parametrize("client_id", ["a b", "-a", "é", "a" * 65, "a/b", "a\n", "a\0", "12345"])
def test_client_id_of_another_form_or_of_digits_alone_is_refused(client_id: str) -> None:
    with pytest.raises(ValueError, match="client id"):
        manage.create_application(client_id, Change(), COMMAND_LINE)
    assert not Application.objects.exists()


def test_client_id_that_is_taken_is_refused_and_a_missing_one_is_made(orders: str) -> None:
    with pytest.raises(ValueError, match="There is an application 'orders' already"):
        manage.create_application("orders", Change(), COMMAND_LINE)
    made = {manage.create_application("", Change(), COMMAND_LINE).client_id for _ in range(3)}
    assert len(made) == 3
    assert {(client_id[:4], len(client_id)) for client_id in made} == {("app-", 20)}


@pytest.mark.parametrize(
    "resource",
    [
        *(
            "orders",
            "//a.example",
            "/orders",
            "http://a.example/",
            "https://",
            "https://a.example/#x",
            "ftp://a.example",
        ),
        *("https://u:p@a.example/", "https://a.example/ x", "https://a.example:x/", "https://é.example/", ""),
        *("https://a.example/\n", "https://[::1/", f"https://a.example/{'x' * 200}", "javascript:alert(1)", "\0"),
    ],
)
def test_resource_that_is_no_absolute_url_is_refused(resource: str) -> None:
    with pytest.raises(ValueError, match="is not a valid resource"):
        manage.create_application("orders", Change(resources=[resource]), COMMAND_LINE)


def test_resources_with_https_and_local_ones_with_http_are_accepted() -> None:
    resources = [
        "https://a.example",
        "https://a.example/x?y",
        "http://localhost:1/",
        "http://127.0.0.1",
        "http://[::1]/",
    ]
    assert manage.create_application("orders", Change(resources=resources), COMMAND_LINE).resources == resources


@pytest.mark.parametrize(
    "values",
    [
        *(Change(name="x" * 101), Change(name="a\nb"), Change(name="a\0"), Change(scopes=["nope"])),
        *(
            Change(scopes=["a\0"]),
            Change(public_keys=[{}]),
            Change(resources=[f"https://a{n}.example" for n in range(11)]),
        ),
    ],
)
def test_wrong_value_changes_nothing(orders: str, values: Change) -> None:
    before = Application.objects.filter(client_id=orders).values().get()
    for act, client_id in ((manage.change_application, orders), (manage.create_application, "another")):
        with pytest.raises(ValueError, match=r"\.$"):
            act(client_id, values, COMMAND_LINE)
    assert Application.objects.count() == 1
    assert Application.objects.filter(client_id=orders).values().get() == before
    assert event_details("application.changed") == []


@pytest.mark.parametrize("client_id", ["nobody", "a\0", ""])
def test_unknown_application_is_named(db: None, client_id: str) -> None:
    acts = (manage.deactivate_application, manage.reactivate_application, manage.revoke_tokens, add_secret)
    for act in (*acts, manage.delete_application):
        with pytest.raises(ValueError, match="There is no application"):
            act(client_id, COMMAND_LINE)
