"""Scopes: create, describe and delete them, and who has one that is to be deleted."""

import pytest

from latchkey.api_keys.models import ApiKey
from latchkey.api_keys.scope_deletion import delete_scope, find_use
from latchkey.applications.manage import Change, create_application
from latchkey.audit.log import COMMAND_LINE
from latchkey.audit.models import AuditEvent
from latchkey.authorization.models import BUILT_IN_SCOPES, Scope
from latchkey.authorization.roles import create_role
from latchkey.authorization.scope_changes import create_scope, describe_scope
from tests.applications.tokens import issue, scopes_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def scope() -> Scope:
    return create_scope("orders:read", "Read all orders.", COMMAND_LINE)


@pytest.fixture
def key(scope: Scope) -> ApiKey:
    """An API key of an application that has the scope, as a role has it."""
    create_role("editor", "", ["orders:read"], COMMAND_LINE)
    application = create_application("shop", Change(scopes=["orders:read", "users:read"]), COMMAND_LINE)
    create_scope("orders:readmore", "Read more.", COMMAND_LINE)
    ApiKey.objects.create(application=application, key_id="k2", digest=b"2", name="b", scopes="orders:readmore")
    scopes = "orders:read users:read"
    return ApiKey.objects.create(application=application, key_id="k1", digest=b"1", name="a", scopes=scopes)


@pytest.mark.parametrize("name", ["", "A", "a b", 'a"b', "a\\", "é", "a" * 65, ":a", "a\n", "a\0"])
def test_scope_with_a_name_of_another_form_is_refused(db: None, name: str) -> None:
    with pytest.raises(ValueError, match="is not a valid name for a scope"):
        create_scope(name, "Read.", COMMAND_LINE)


@pytest.mark.parametrize("description", ["", "  ", "x" * 201, "a\nb", "a\0"])
def test_scope_without_a_description_of_one_line_is_refused(scope: Scope, description: str) -> None:
    with pytest.raises(ValueError, match="description"):
        create_scope("orders:write", description, COMMAND_LINE)
    with pytest.raises(ValueError, match="description"):
        describe_scope(scope, description, COMMAND_LINE)
    assert not Scope.objects.filter(name="orders:write").exists()


def test_scope_that_exists_is_not_created_again(scope: Scope) -> None:
    with pytest.raises(ValueError, match="There is a scope 'orders:read' already"):
        create_scope("orders:read", "Another.", COMMAND_LINE)


def test_each_change_of_a_scope_is_an_event(scope: Scope) -> None:
    assert describe_scope(scope, " Read orders. ", COMMAND_LINE)
    assert not describe_scope(scope, "Read orders.", COMMAND_LINE)
    delete_scope(scope, COMMAND_LINE)
    events = AuditEvent.objects.filter(name__startswith="scope.").order_by("pk")
    assert list(events.values_list("name", "detail")) == [
        (name, "orders:read (command line)") for name in ("scope.created", "scope.changed", "scope.deleted")
    ]


def test_scope_in_use_is_refused_with_the_names_of_all_that_have_it(key: ApiKey, scope: Scope) -> None:
    with pytest.raises(ValueError, match=r"in use: application shop, role editor, API key k1\.$"):
        delete_scope(scope, COMMAND_LINE)
    assert Scope.objects.filter(name="orders:read").exists()


def test_scope_in_use_is_taken_away_from_all_by_force(key: ApiKey, scope: Scope) -> None:
    token = issue("shop", "orders:read", "users:read")
    assert scopes_of(token) == {"orders:read", "users:read"}
    assert str(delete_scope(scope, COMMAND_LINE, force=True)) == "application shop, role editor, API key k1"
    assert scopes_of(token) == {"users:read"}
    assert dict(ApiKey.objects.values_list("key_id", "scopes")) == {"k1": "users:read", "k2": "orders:readmore"}


def test_key_does_not_get_a_deleted_scope_back_when_somebody_creates_it_again(key: ApiKey, scope: Scope) -> None:
    delete_scope(scope, COMMAND_LINE, force=True)
    again = create_scope("orders:read", "Read all orders.", COMMAND_LINE)
    assert not find_use(again)


def test_sentence_about_a_scope_names_five_and_the_number_of_the_others(scope: Scope) -> None:
    for number in range(7):
        create_application(f"app{number}", Change(scopes=["orders:read"]), COMMAND_LINE)
    assert str(find_use(scope)) == "applications app0, app1, app2, app3, app4 and 2 more"


@pytest.mark.parametrize("name", BUILT_IN_SCOPES)
def test_built_in_scope_is_never_deleted(db: None, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be deleted"):
        delete_scope(Scope.objects.get(name=name), COMMAND_LINE, force=True)


def test_scope_that_is_gone_is_not_deleted_again(scope: Scope) -> None:
    delete_scope(Scope.objects.get(pk=scope.pk), COMMAND_LINE)
    with pytest.raises(ValueError, match="There is no scope 'orders:read' any more"):
        delete_scope(scope, COMMAND_LINE)
