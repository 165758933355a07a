"""Changes of one application at the same time, and tokens that are validated meanwhile: threads of own connections."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from latchkey.api_keys.scope_deletion import delete_scope
from latchkey.applications import manage
from latchkey.applications.manage import Change
from latchkey.applications.models import Application, ClientCredential
from latchkey.applications.secrets import MAX_SECRETS, add_secret, remove_secrets
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.models import Scope
from latchkey.authorization.scope_changes import create_scope
from tests.applications.tokens import is_accepted, issue

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


def run_at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Run all actions at once; return their results, and the sentences of those that were refused."""
    start = Barrier(len(actions))

    def run(action: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            start.wait(10)
            return action()
        except ValueError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def create(client_id: str = "orders") -> None:
    manage.create_application(client_id, Change(), COMMAND_LINE)


def test_secrets_that_are_added_at_the_same_time_are_never_three() -> None:
    create()
    for _ in range(ROUNDS):
        made = run_at_once(*[lambda: add_secret("orders", COMMAND_LINE)] * 6)
        shown = [secret for secret in made if secret]
        assert len(set(shown)) == len(shown) == ClientCredential.objects.count() == MAX_SECRETS
        remove_secrets("orders", COMMAND_LINE, older=False)


def test_service_that_is_added_by_two_at_the_same_time_is_one_application_with_two_secrets() -> None:
    made = run_at_once(*[lambda: add_secret("orders", COMMAND_LINE, create=True)] * 4)
    assert len([secret for secret in made if secret]) == MAX_SECRETS
    assert (Application.objects.count(), ClientCredential.objects.count()) == (1, MAX_SECRETS)


def test_secret_that_is_added_while_the_application_is_deleted_does_not_outlive_it() -> None:
    for _ in range(ROUNDS):
        create()
        run_at_once(
            lambda: add_secret("orders", COMMAND_LINE), lambda: manage.delete_application("orders", COMMAND_LINE)
        )
        assert not ClientCredential.objects.exists()


def test_token_is_refused_by_every_validation_that_begins_after_a_deactivation() -> None:
    create()
    token = issue("orders")

    def validate_until_refused() -> list[bool]:
        return [is_accepted(token) for _ in range(60)]

    def deactivate() -> bool:
        manage.deactivate_application("orders", COMMAND_LINE)
        return is_accepted(token)

    *answers, after = run_at_once(*[validate_until_refused] * 4, deactivate)
    assert after is False
    for seen in answers:
        assert seen == sorted(seen, reverse=True)  # accepted up to one request, and refused from there on


def test_scope_that_is_given_while_it_is_deleted_is_either_kept_or_gone() -> None:
    for number in range(ROUNDS):
        create_scope("orders:read", "Read all orders.", COMMAND_LINE)
        create(f"app{number}")
        scope = Scope.objects.get(name="orders:read")
        give, delete = run_at_once(
            lambda: manage.change_application(f"app{number}", Change(scopes=["orders:read"]), COMMAND_LINE),  # noqa: B023
            lambda: delete_scope(scope, COMMAND_LINE),  # noqa: B023
        )
        assert isinstance(give, ValueError) is not isinstance(delete, ValueError)
        Scope.objects.filter(name="orders:read").delete()


def test_changes_of_two_operators_are_both_kept() -> None:
    create()
    run_at_once(
        lambda: manage.change_application("orders", Change(name="The shop"), COMMAND_LINE),
        lambda: manage.change_application("orders", Change(resources=["https://a.example/"]), COMMAND_LINE),
    )
    row = Application.objects.get()
    assert (row.name, row.resources) == ("The shop", ["https://a.example/"])
