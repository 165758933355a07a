"""latchkey api-keys list, add and revoke."""

import json
import re
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from latchkey.api_keys.models import ApiKey
from latchkey.audit.models import AuditEvent
from tests.api_keys.requests import create, create_application, create_of_application, use
from tests.people import Person
from tests.support.captured_log import CapturedLog


def run(*words: str) -> str:
    output = StringIO()
    call_command("api_keys", *words, stdout=output)
    return output.getvalue()


def test_key_of_an_application_is_printed_once(http: Any, captured_log: CapturedLog) -> None:
    create_application("billing", ["users:read"])
    lines = run("add", "--application", "billing", "--name", "Nightly", "--scope", "users:read").splitlines()
    key_id, key = ApiKey.objects.get().key_id, lines[-1]
    assert re.fullmatch(r"latchkey_a[0-9A-Za-z]{55}", key)
    assert re.fullmatch(rf"The key {key_id} of 'billing' expires at [0-9TZ:-]+\. It is shown only once:", lines[0])
    assert use(http, key).status_code == 403
    assert key not in run("list") + captured_log.text
    event = AuditEvent.objects.get(name="api_key.created")
    assert (event.user_id, event.client_id, event.detail) == (None, "", f"{key_id} billing (command line)")


def test_list_names_owners_of_both_kinds_and_no_secret(alice: Person) -> None:
    created = create(alice, name="Backup")
    create_of_application(create_application())
    table = run("list")
    assert [line.split()[1] for line in table.splitlines()] == ["owner", "billing", "alice@example.com"]
    (listed,) = json.loads(run("list", "--json", "--user", "ALICE@example.com"))
    assert (listed["id"], listed["owner"], listed["name"]) == (created["id"], "alice@example.com", "Backup")
    assert [row["owner"] for row in json.loads(run("list", "--json", "--application", "billing"))] == ["billing"]
    assert created["key"] not in table


def test_revoked_keys_of_a_person_are_refused_and_are_events_of_that_person(alice: Person, bob: Person) -> None:
    mine, also_mine, other = create(alice), create(alice), create(bob)
    assert run("revoke", mine["id"], "--yes") == "1 API key revoked.\n"
    assert run("revoke", "--user", alice.email, "--yes") == "1 API key revoked.\n"
    assert [use(alice.http, made["key"]).status_code for made in (mine, also_mine, other)] == [401, 401, 200]
    found = AuditEvent.objects.filter(name="api_key.revoked").order_by("id").values_list("user_id", "detail")
    assert list(found) == [(alice.id, f"{made['id']} (command line)") for made in (mine, also_mine)]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "--application", "nobody", "--name", "x"), "There is no active application 'nobody'."),
        (("add", "--application", "billing", "--name", " "), "Give the key a name"),
        (("add", "--application", "billing", "--name", "a\nb"), "cannot be shown"),
        (("add", "--application", "billing", "--name", "x", "--scope", "users:write"), "does not have the scope"),
        (("add", "--application", "billing", "--name", "x", "--scope", "none"), "does not have the scope 'none'"),
        (("add", "--application", "billing", "--name", "x", "--days", "367"), "from 1 to 366"),
        (("add", "--application", "billing", "--name", "x", "--never-expires"), "lives for at most 366 days"),
        (("list", "--user", "nobody@example.com"), "There is no user"),
        (("list", "--application", "nobody"), "There is no application 'nobody'."),
        (("revoke", "--yes"), "Name the ids"),
        (("revoke", "abcdef", "--user", "a@example.com", "--yes"), "Name the ids"),
        (("revoke", "abcdef", "--yes"), "There is no API key 'abcdef'; nothing was revoked."),
    ],
)
def test_wrong_input_is_answered_by_a_sentence(http: Any, words: tuple[str, ...], sentence: str) -> None:
    create_application("billing", ["users:read"])
    with pytest.raises(ImproperlyConfigured, match=re.escape(sentence)):
        run(*words)
    assert not ApiKey.objects.exists()


def test_nothing_is_revoked_where_one_id_is_unknown_or_nobody_confirms(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = create(alice)
    monkeypatch.setattr("sys.stdin", StringIO(""))
    for words in ((created["id"], "abcdef", "--yes"), (created["id"],)):
        with pytest.raises(ImproperlyConfigured):
            run("revoke", *words)
    assert use(alice.http, created["key"]).status_code == 200


def test_inactive_application_gets_no_key(http: Any) -> None:
    application = create_application("billing")
    application.is_active = False
    application.save()
    with pytest.raises(ImproperlyConfigured, match="no active application"):
        run("add", "--application", "billing", "--name", "x")
